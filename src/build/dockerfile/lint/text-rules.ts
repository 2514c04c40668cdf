/** Rules about what is written, whatever variables and images say. */
import type { Stage } from '../convert/stages.ts';
import type { Instruction } from '../instruction.ts';
import type { SourceRange } from '../source-error.ts';
import type { Linter } from './linter.ts';

const isLower = (text: string): boolean => text === text.toLowerCase();
const isUpper = (text: string): boolean => text === text.toUpperCase();

/** An instruction by itself. */
export function lintInstruction(linter: Linter, instruction: Instruction): void {
  const { range, comments } = instruction;
  switch (instruction.kind) {
    case 'maintainer':
      linter.warn('MaintainerDeprecated', range);
      return;
    case 'arg':
      lintDescription(linter, { range, comments, word: 'ARG', names: instruction.pairs.map(({ name }) => name) });
      return;
    case 'from': {
      const { written, word, name } = instruction;
      if (!written) return;
      if (!isLower(written.name)) linter.warn('StageNameCasing', range, written.name);
      // A FROM of mixed letters is told of by itself.
      const matches = isLower(word) ? isLower(written.as) : !isUpper(word) || isUpper(written.as);
      if (!matches) linter.warn('FromAsCasing', range, word, written.as);
      lintDescription(linter, { range, comments, word: 'FROM', names: [name] });
    }
  }
}

/** The comment above something that has a name describes it, and begins with the name. */
function lintDescription(
  linter: Linter,
  what: { range: SourceRange; comments: readonly string[]; word: string; names: string[] },
): void {
  const { range, comments, word, names } = what;
  const first = comments.at(-1)?.split(' ', 1)[0];
  if (first === undefined || names.includes(first)) return;
  linter.warn('InvalidDefinitionDescription', range, word, names.length > 1 ? '<arg_key>' : (names[0] as string));
}

const reserved: ReadonlySet<string> = new Set(['context', 'scratch']);

/** All stages together. */
export function lintStages(linter: Linter, stages: readonly Stage[]): void {
  const seen = new Set<string>();
  for (const { name, from } of stages) {
    if (reserved.has(name)) linter.warn('ReservedStageName', from.range, name);
    if (seen.has(name)) linter.warn('DuplicateStageName', from.range, name);
    if (name !== '') seen.add(name);
  }
  const all = stages.flatMap(({ from, instructions }) => [from, ...instructions]);
  const lower = all.filter(({ word }) => isLower(word)).length;
  const upper = all.filter(({ word }) => isUpper(word)).length;
  const [isRight, casing] = lower > upper ? [isLower, 'lowercase'] : [isUpper, 'uppercase'];
  for (const { word, range } of all)
    if (!isRight(word)) linter.warn('ConsistentInstructionCasing', range, word, casing);
}
