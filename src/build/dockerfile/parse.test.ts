/** What holds for every Dockerfile: printed and read again it is the same, and whatever is done to one, the answer is a plan or an error with a line. */
import { expect, test } from 'bun:test';
import { planCases } from '../../../test/compat/dockerfile/plan-cases.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { convertDockerfile } from './convert/convert.ts';
import type { Instruction } from './instruction.ts';
import { type ParsedDockerfile, parseDockerfile } from './parse.ts';
import { DockerfileError, excerpt } from './source-error.ts';

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

/** Numbers that are the same in every run. */
function* randomNumbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    yield state / 2 ** 32;
  }
}

const scraps = [
  '\\',
  '"',
  "'",
  '${',
  '}',
  '$',
  '<<E',
  '\nE\n',
  '#',
  '--from=',
  '--mount=',
  '[',
  ']',
  '\n',
  ' ',
  '=',
  ',',
  '\0',
  'FROM',
  'ONBUILD ',
  '\uFEFF',
  '`',
  '“',
  '/../',
  '*',
  '{',
  ':?',
  '%',
];

test('a thousand damaged Dockerfiles: a plan, or an error with a line', async () => {
  const random = randomNumbers(20_260_101);
  const next = (below: number): number => Math.floor(random.next().value * below);
  for (let round = 0; round < 1000; round++) {
    let text = planCases[next(planCases.length)]?.dockerfile ?? '';
    for (let change = next(4); change >= 0; change--) {
      const at = next(text.length + 1);
      const scrap = scraps[next(scraps.length)] as string;
      if (next(3) === 0) text = text.slice(0, at) + text.slice(at + next(8));
      else text = text.slice(0, at) + scrap + text.slice(at);
    }
    const outcome = await plan(text).catch((error: unknown) => error);
    if (!(outcome instanceof Error)) continue;
    if (!(outcome instanceof DockerfileError)) throw new Error(`${JSON.stringify(text)}: ${outcome.stack}`);
    expect(outcome.range.first).toBeGreaterThan(0);
    expect(excerpt({ name: 'Dockerfile', text }, outcome.range)).toContain('>>>');
  }
});

async function plan(text: string): Promise<unknown> {
  return await convertDockerfile(parseDockerfile(text), {
    target: '',
    arguments: new Map(),
    labels: new Map(),
    noCache: false,
    platform: hostPlatform(),
    buildPlatform: hostPlatform(),
    epoch: null,
    network: 'default',
    extraHosts: [],
    limits: {},
    namedContexts: new Map(),
    slot: '',
    allowInsecure: false,
    findImage: (name) =>
      Promise.resolve({
        name,
        layers: [],
        config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
      }),
  });
}

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
