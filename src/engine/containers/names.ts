import { BerthError } from '../../api/errors.ts';
import { adjectives, surnames } from './name-words.ts';

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * The name that a client asked for, without its leading slash. Error: `invalid` in dockerd's words.
 * @param shown how the error text writes it; create shows it as given, rename with a slash
 */
export function checkedName(name: string, shown: string = name): string {
  const plain = name.replace(/^\//, '');
  if (!validName.test(plain))
    throw new BerthError('invalid', `Invalid container name (${shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  return plain;
}

/** Tries before a digit is added to what the dice gave. */
const plainTries = 5;

/** A free name like `calm_hopper`. @param taken whether somebody has it */
export function generateName(taken: (name: string) => boolean, random: () => number = Math.random): string {
  for (let attempt = 0; ; attempt++) {
    const pick = (words: readonly string[]): string => words[Math.floor(random() * words.length)] as string;
    const name = `${pick(adjectives)}_${pick(surnames)}`;
    const candidate =
      attempt < plainTries ? name : `${name}${Math.floor(random() * 10 ** Math.min(attempt - plainTries + 1, 9))}`;
    if (!taken(candidate)) return candidate;
  }
}
