/** What holds for every Dockerfile: printed and read again it is the same, and whatever is done to one, the answer is a plan or an error with a line. */
import { expect, test } from 'bun:test';
import { planCases } from '../../../test/compat/dockerfile/plan-cases.ts';
import { checkDamagedDockerfiles } from '../../../test/support/damaged-dockerfiles.ts';
import type { Instruction } from './instruction.ts';
import { type ParsedDockerfile, parseDockerfile } from './parse.ts';
import { type DockerfileError, excerpt } from './source-error.ts';

/** The text that says the same: directives, then each instruction on its logical line, here-documents behind it. */
function print({ directives, instructions }: ParsedDockerfile): string {
  const lines = [`# escape=${directives.escapeSign}`];
  for (const instruction of instructions) {
    lines.push(instruction.text);
    if (!('heredocs' in instruction)) continue;
    for (const { name, content } of instruction.heredocs) lines.push(`${content}${name}`);
  }
  return `${lines.join('\n')}\n`;
}

function withoutPlaces(instructions: readonly Instruction[]): unknown {
  return instructions.map(({ range: _range, ...rest }) => ({
    ...rest,
    ...('flags' in rest && { flags: [...rest.flags] }),
  }));
}

/** Dockerfiles that can be read. */
const texts = planCases.flatMap(({ dockerfile }) => {
  try {
    parseDockerfile(dockerfile);
    return [dockerfile];
  } catch {
    return []; // a case of what cannot be read
  }
});

test.each(texts)('print and read: %j', (text) => {
  const once = parseDockerfile(text);
  const again = parseDockerfile(print(once));
  // Leading tabs of `<<-` are gone after the first reading, so that the second sees the same.
  expect(withoutPlaces(again.instructions)).toEqual(withoutPlaces(once.instructions));
});

test('a thousand damaged Dockerfiles: a plan, or an error with a line', () =>
  checkDamagedDockerfiles(1000, 20_260_101));

test('the lines around an error, with a caret where the column is known', () => {
  const text = 'FROM a\n\n  FOOO x\nRUN y\n';
  let shown = '';
  try {
    parseDockerfile(text);
  } catch (error) {
    shown = excerpt({ name: 'Dockerfile', text }, (error as DockerfileError).range);
  }
  expect(shown.split('\n')).toEqual([
    'Dockerfile:3',
    '--------------------',
    '   1 |     FROM a',
    '   2 |',
    '   3 | >>>   FOOO x',
    '     |       ^',
    '   4 |     RUN y',
    '   5 |',
    '--------------------',
  ]);
});
