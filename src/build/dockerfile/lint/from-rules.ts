/** Rules about FROM and the ARGs before the first one. */
import { parsePlatform } from '../../../oci/platform.ts';
import { parseReference } from '../../../oci/reference.ts';
import type { Stage } from '../convert/stages.ts';
import type { Expanded, ShellLexer } from '../shell-words.ts';
import { closest } from '../suggestion.ts';
import type { Linter } from './linter.ts';

export interface FromVariables {
  lexer: ShellLexer;
  /** Those that are declared before the first FROM, with the values of this build. */
  values: ReadonlyMap<string, string>;
  /** The same where nobody gives arguments; null: they cannot be read so. */
  defaults: ReadonlyMap<string, string> | null;
  /** All that are declared, with a value or without. */
  declared: readonly string[];
}

const targetPlatform = 'TARGETPLATFORM';

export function lintFroms(linter: Linter, stages: readonly Stage[], variables: FromVariables): void {
  const { lexer, values, defaults } = variables;
  for (const { from } of stages) {
    const base = defaults && expanded(lexer, from.base, defaults);
    if (!base) break;
    if (!isReference(base.text)) linter.warn('InvalidDefaultArgInFrom', from.range, from.base);
  }
  for (const { from, name } of stages) {
    const base = expanded(lexer, from.base, values);
    if (base) lintUndeclared(linter, base, from.range, variables);
    const platform = from.platform === '' ? null : expanded(lexer, from.platform, values);
    if (!platform) continue;
    lintUndeclared(linter, platform, from.range, variables);
    const { set, unset, text } = platform;
    if (set.length === 1 && unset.length === 0 && set[0] === targetPlatform && text === values.get(targetPlatform))
      linter.warn('RedundantTargetPlatform', from.range, from.platform);
    if (set.length === 0 && unset.length === 0 && !saysPlatform(name, text))
      linter.warn('FromPlatformFlagConstDisallowed', from.range, text);
  }
}

function lintUndeclared(
  linter: Linter,
  { unset }: Expanded,
  range: Stage['from']['range'],
  { declared, values }: FromVariables,
): void {
  const known = [...new Set([...declared, ...values.keys()])];
  for (const name of unset)
    if (!known.includes(name)) linter.warn('UndefinedArgInFrom', range, name, closest(name, known));
}

/** Null: the word cannot be read, which the build tells. */
function expanded(lexer: ShellLexer, word: string, values: ReadonlyMap<string, string>): Expanded | null {
  try {
    return lexer.expand(word, values);
  } catch {
    return null;
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

/** A stage that is named after its platform means it; what is no platform the build tells. */
function saysPlatform(name: string, text: string): boolean {
  try {
    const { os, architecture } = parsePlatform(text);
    return name.includes(os) || name.includes(architecture);
  } catch {
    return true;
  }
}
