import type { ArgInstruction, FromInstruction, Instruction } from '../instruction.ts';
import { DockerfileError } from '../source-error.ts';

/** One FROM and what follows it. */
export interface Stage {
  index: number;
  /** Lower case; empty: it has none. */
  name: string;
  from: FromInstruction;
  instructions: Instruction[];
}

/** The ARGs before the first FROM, and the stages. Error: `DockerfileError` for anything else before it. */
export function splitStages(instructions: readonly Instruction[]): { globals: ArgInstruction[]; stages: Stage[] } {
  const globals: ArgInstruction[] = [];
  const stages: Stage[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === 'from') {
      stages.push({ index: stages.length, name: instruction.name, from: instruction, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globals.push(instruction);
    else throw new DockerfileError('no build stage in current context', instruction.range);
  }
  if (stages.length === 0)
    throw new DockerfileError(
      'dockerfile contains no stages to build',
      instructions.at(-1)?.range ?? { first: 1, last: 1 },
    );
  return { globals, stages };
}

/** The stage that a name or an index means; of equal names the last one before `before`. */
export function findStage(stages: readonly Stage[], name: string, before: number): Stage | undefined {
  const lower = name.toLowerCase();
  return stages.slice(0, before).findLast((stage) => stage.name === lower && lower !== '');
}

/** The stage that is to be built. Error: `DockerfileError` `target stage "x" could not be found`. */
export function targetStage(stages: readonly Stage[], target: string): Stage {
  const last = stages.at(-1) as Stage;
  if (target === '') return last;
  const found = findStage(stages, target, stages.length) ?? (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
  if (!found) throw new DockerfileError(`target stage ${JSON.stringify(target)} could not be found`, last.from.range);
  return found;
}
