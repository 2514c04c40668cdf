/** Rules about the instructions of a stage, one after another. */
import { posix } from 'node:path';
import { IgnoreRules } from '../../../wire/ignore-patterns.ts';
import type { Instruction } from '../instruction.ts';
import type { SourceRange } from '../source-error.ts';
import { closest } from '../suggestion.ts';
import type { Linter } from './linter.ts';

/** What the rules want to know of a stage. */
export interface LintedStage {
  /** SHELL was said, here or below. */
  readonly hasShell: boolean;
  expandWords(word: string): string[];
}

/** A name with one of these words, at its beginning or end or between underscores. */
const secret = /(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const harmless = /(?:_|^)public(?:_|$)/i;

/** Arguments that are no variables of steps. */
const ofScanners: ReadonlySet<string> = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

export class StageLint {
  readonly #linter: Linter;
  /** Instructions of which only the last one counts, where they stood last. */
  readonly #last = new Map<string, SourceRange>();
  readonly #unknown = new Set<string>();
  readonly #ignored: IgnoreRules;
  readonly #ignoresAll: boolean;
  #hasWorkdir: boolean;

  constructor(plan: { linter: Linter; ignored?: readonly string[] }, below: StageLint | null) {
    this.#linter = plan.linter;
    this.#ignored = below ? below.#ignored : new IgnoreRules(plan.ignored ?? []);
    this.#ignoresAll = (plan.ignored ?? []).some((pattern) => ['*', '**', '**/*'].includes(pattern));
    this.#hasWorkdir = below ? below.#hasWorkdir : false;
  }

  /** Variables of one word that nobody has set. @param known names that it could have meant */
  unknown(names: readonly string[], instruction: Instruction, known: readonly string[]): void {
    for (const name of names) {
      // The words of these are gone through more than once.
      const place = `${instruction.range.first} ${name}`;
      if (['copy', 'add', 'run'].includes(instruction.kind)) {
        if (this.#unknown.has(place)) continue;
        this.#unknown.add(place);
      }
      if (!ofScanners.has(name)) this.#linter.warn('UndefinedVar', instruction.range, name, closest(name, known));
    }
  }

  /** An instruction whose words could be read. */
  take(instruction: Instruction, stage: LintedStage): void {
    const { word, range } = instruction;
    const linter = this.#linter;
    switch (instruction.kind) {
      case 'cmd':
      case 'entrypoint':
        this.#once(instruction);
        if (instruction.command.form === 'shell' && !stage.hasShell) linter.warn('JSONArgsRecommended', range, word);
        return;
      case 'copy':
      case 'add':
        if (instruction.flags.has('from')) return;
        for (const source of instruction.sources.flatMap((text) => stage.expandWords(text)))
          if (this.#isIgnored(source))
            linter.warn('CopyIgnoredFile', range, instruction.kind === 'copy' ? 'Copy' : 'Add', source);
        return;
      case 'healthcheck':
        this.#once(instruction);
        return;
      case 'env':
      case 'label':
        for (const { name, legacy } of instruction.pairs) {
          if (legacy) linter.warn('LegacyKeyValueFormat', range, word);
          if (instruction.kind === 'env') this.#secret('ENV', name, range);
        }
        return;
      case 'arg':
        for (const { name } of instruction.pairs) this.#secret('ARG', name, range);
        return;
      case 'workdir': {
        const path = stage.expandWords(instruction.value).join(' ');
        if (!this.#hasWorkdir && !posix.isAbsolute(path)) linter.warn('WorkdirRelativePath', range, path);
        this.#hasWorkdir = true;
        return;
      }
      case 'expose':
        for (const port of instruction.words.flatMap((text) => stage.expandWords(text))) this.#port(port, range);
    }
  }

  #once({ kind, word, range }: Instruction): void {
    const before = this.#last.get(kind);
    // The one that says nothing is the one before.
    if (before) this.#linter.warn('MultipleInstructionsDisallowed', before, word);
    this.#last.set(kind, range);
  }

  /** What is let back in cannot be told without the files. */
  #isIgnored(source: string): boolean {
    if (!this.#ignored.isFinal || /^(?:https?|git|ssh):\/\//.test(source)) return false;
    const path = posix.normalize(source).replace(/(.)\/$/, '$1');
    return path === '.' || path === '/' ? this.#ignoresAll : !path.startsWith('/') && this.#ignored.ignores(path);
  }

  #secret(instruction: string, name: string, range: SourceRange): void {
    if (secret.test(name) && !harmless.test(name)) this.#linter.warn('SecretsUsedInArgOrEnv', range, instruction, name);
  }

  /** `[address:][host port:]port[/protocol]` */
  #port(port: string, range: SourceRange): void {
    const slash = port.lastIndexOf('/');
    const protocol = slash < 0 ? '' : port.slice(slash + 1);
    if (protocol !== protocol.toLowerCase()) this.#linter.warn('ExposeProtoCasing', range, port);
    const mapping = slash < 0 ? port : port.slice(0, slash);
    if (mapping.replace(/^:/, '').includes(':')) this.#linter.warn('ExposeInvalidFormat', range, port);
  }
}
