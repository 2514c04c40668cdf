/** Dockerfiles that somebody has fallen upon. */
import { DockerfileError, excerpt } from '../../src/build/dockerfile/source-error.ts';
import { planCases } from '../compat/dockerfile/plan-cases.ts';
import { planDockerfile } from './plan-dockerfile.ts';

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

/** Damages the Dockerfiles of the cases at random; each must give a plan, or an error with a line. Error: the first that gives something else. */
export async function checkDamagedDockerfiles(rounds: number, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  const next = (below: number): number => Math.floor(random.next().value * below);
  for (let round = 0; round < rounds; round++) {
    let text = planCases[next(planCases.length)]?.dockerfile ?? '';
    for (let change = next(4); change >= 0; change--) {
      const at = next(text.length + 1);
      const scrap = scraps[next(scraps.length)] as string;
      if (next(3) === 0) text = text.slice(0, at) + text.slice(at + next(8));
      else text = text.slice(0, at) + scrap + text.slice(at);
    }
    const outcome = await planDockerfile(text).catch((error: unknown) => error);
    if (!(outcome instanceof Error)) continue;
    if (!(outcome instanceof DockerfileError)) throw new Error(`${JSON.stringify(text)}: ${outcome.stack}`);
    const shown = excerpt({ name: 'Dockerfile', text }, outcome.range);
    if (outcome.range.first < 1 || !shown.includes('>>>'))
      throw new Error(`${JSON.stringify(text)}: no line is marked`);
  }
}
