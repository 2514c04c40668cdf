import { posix } from 'node:path';
import type { ContainerDefaults } from '../../../oci/image-config.ts';
import { formatPlatform, type Platform } from '../../../oci/platform.ts';
import type { Vertex, VertexLabel } from '../../graph/vertex.ts';
import type { Instruction } from '../instruction.ts';
import { StageLint } from '../lint/stage-rules.ts';
import { ShellLexer } from '../shell-words.ts';
import { DockerfileError } from '../source-error.ts';
import type { BaseImage, PlannedHistory, PlanOptions } from './plan.ts';
import type { Stage } from './stages.ts';

/** What PATH is where an image says nothing. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A stage while its instructions are gone through: the tree so far, the config so far, and what names mean. */
export class StageState {
  readonly stage: Stage;
  readonly options: PlanOptions;
  /** What its commands are made for. */
  readonly platform: Platform;
  readonly base: BaseImage | null;
  readonly config: ContainerDefaults;
  readonly history: PlannedHistory[];
  author: string;
  /** The tree so far. */
  tree: Vertex;
  /** ARGs declared so far, those of the stage below first, with the values that RUN sees; undefined: none. */
  readonly arguments: Map<string, string | undefined>;
  /** Every instruction of the stage with what it came to, for progress by lines. */
  readonly lines: { text: string; vertex: Vertex | null; image?: string }[] = [];
  /** CMD of this stage: an ENTRYPOINT forgets one that was inherited. */
  hasOwnCommand = false;
  readonly #lint: StageLint;
  readonly #lexer: ShellLexer;
  readonly #env = new Map<string, string>();
  /** ARGs with a value that came after an ENV of the same name: until the next ENV theirs counts. */
  readonly #above: Set<string>;
  #step = 1;
  #steps = 0;

  constructor(options: {
    stage: Stage;
    plan: PlanOptions;
    escapeSign: string;
    tree: Vertex;
    platform: Platform;
    base: BaseImage | null;
    config: ContainerDefaults;
    author: string;
    history: readonly PlannedHistory[];
    /** The stage that this one goes on from: its ARGs count here too. */
    parent?: StageState;
  }) {
    this.stage = options.stage;
    this.options = options.plan;
    this.tree = options.tree;
    this.platform = options.platform;
    this.base = options.base;
    this.author = options.author;
    this.history = [...options.history];
    this.config = structuredClone(options.config);
    this.arguments = new Map(options.parent?.arguments);
    this.#above = new Set(options.parent ? options.parent.#above : []);
    this.#lint = new StageLint(options.plan, options.parent ? options.parent.#lint : null);
    this.#lexer = new ShellLexer({ escapeSign: options.escapeSign });
    for (const entry of this.config.Env ?? []) this.#readVariable(entry);
    if (!this.#env.has('PATH')) this.setVariable('PATH', defaultPath);
  }

  /** How many numbered steps the stage has, the FROM counted. */
  set steps(count: number) {
    this.#steps = count;
  }

  get directory(): string {
    return this.config.WorkingDir || '/';
  }

  /** ENV and ARG as instructions see them; of both that with a value that came last. */
  get variables(): Map<string, string> {
    const merged = new Map<string, string>();
    for (const [name, value] of this.arguments) if (value !== undefined) merged.set(name, value);
    for (const [name, value] of this.#env) if (!this.#above.has(name)) merged.set(name, value);
    return merged;
  }

  /** Value of an ENV variable; undefined too where an ARG has come after it. */
  variable(name: string): string | undefined {
    return this.#above.has(name) ? undefined : this.#env.get(name);
  }

  /** An ARG. @param value undefined: it is declared, and nothing gave it one */
  setArgument(name: string, value: string | undefined): void {
    this.arguments.set(name, value);
    if (value !== undefined && this.#env.has(name)) this.#above.add(name);
  }

  setVariable(name: string, value: string): void {
    this.#env.set(name, value);
    this.#above.delete(name);
    this.config.Env = [...this.#env].map(([key, text]) => `${key}=${text}`);
  }

  /** Error: `DockerfileError` at the instruction for a word that cannot be read. */
  expand(word: string, instruction: Instruction, variables = this.variables): string {
    const { text, unset } = this.#guard(instruction, () => this.#lexer.expand(word, variables));
    // Declared without a value is declared.
    const unknown = unset.filter((name) => !this.arguments.has(name));
    if (unknown.length > 0) this.#lint.unknown(unknown, instruction, [...variables.keys()]);
    return text;
  }

  /** As `expand`, into as many words as it makes. */
  expandWords(word: string, instruction: Instruction): string[] {
    return this.#guard(instruction, () => this.#lexer.words(word, this.variables));
  }

  /** Tells what is not good about an instruction that has been gone through. */
  lint(instruction: Instruction): void {
    this.#lint.take(instruction, {
      hasShell: (this.config.Shell ?? []).length > 0,
      expandWords: (word) => this.expandWords(word, instruction),
    });
  }

  #guard<T>(instruction: Instruction, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new DockerfileError((error as Error).message, instruction.range, { cause: error });
    }
  }

  /** Absolute and clean; a slash at the end stays. */
  absolute(path: string): string {
    const joined = posix.join(this.directory, path);
    const whole = path.startsWith('/') ? posix.normalize(path) : posix.normalize(`/${joined}`);
    const isDirectory = path.endsWith('/') || /(?:^|\/)\.{1,2}$/.test(path);
    return isDirectory && !whole.endsWith('/') ? `${whole}/` : whole;
  }

  remember(createdBy: string, vertex: Vertex | null = null): void {
    this.history.push({ createdBy, vertex });
  }

  /** A step that changes the tree. @param layer the vertex that made the layer */
  advance(vertex: Vertex, createdBy: string, layer = vertex): void {
    this.tree = vertex;
    this.remember(createdBy, layer);
  }

  /** The label of the next numbered step. */
  nextLabel(text: string, instruction: Instruction): VertexLabel {
    this.#step++;
    return this.#label(text, instruction, this.#step);
  }

  /** The label of what begins the stage. */
  firstLabel(text: string): VertexLabel {
    return this.#label(text, this.stage.from, 1);
  }

  /** The label of something that a step needs and that is no step itself. */
  sideLabel(text: string, instruction: Instruction): VertexLabel {
    return { name: text, slot: `${this.options.slot}/${text}`, lines: instruction.range };
  }

  #label(text: string, instruction: Instruction, step: number): VertexLabel {
    return {
      name: stepName({
        stage: this.stage,
        plan: this.options,
        platform: this.platform,
        step,
        steps: this.#steps,
        text,
      }),
      slot: `${this.options.slot}/${this.stage.name || this.stage.index}/${step}`,
      lines: instruction.range,
    };
  }

  get isFresh(): boolean {
    const { noCache } = this.options;
    if (typeof noCache === 'boolean') return noCache;
    return noCache.some((name) => name === '' || name.toLowerCase() === (this.stage.name || String(this.stage.index)));
  }

  #readVariable(entry: string): void {
    const separator = entry.indexOf('=');
    if (separator < 0) this.#env.set(entry, '');
    else this.#env.set(entry.slice(0, separator), entry.slice(separator + 1));
  }
}

/** `[build 2/5] RUN make`; a single stage has no name of its own. With several platforms `[linux/amd64->arm64 build 2/5] RUN make`. */
export function stepName(what: {
  stage: Stage;
  plan: Pick<PlanOptions, 'namesPlatform' | 'platform'>;
  platform: Platform;
  step: number;
  steps: number;
  text: string;
}): string {
  const { stage, plan, platform, step, steps, text } = what;
  const name = stage.name || (stage.index > 0 ? `stage-${stage.index}` : '');
  const count = `${String(step).padStart(String(steps).length)}/${steps}`;
  const target = formatPlatform(plan.platform);
  const own = formatPlatform(platform);
  const crossing = own === target ? own : `${own}->${target.slice(target.indexOf('/') + 1)}`;
  const words = [...(plan.namesPlatform ? [crossing] : []), ...(name === '' ? [] : [name]), count];
  return `[${words.join(' ')}] ${text}`;
}
