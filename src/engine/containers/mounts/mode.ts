/** The third part of `source:target:mode`: words separated by commas, at most one of each kind. */

export type Propagation = 'private' | 'rprivate' | 'slave' | 'rslave' | 'shared' | 'rshared';

export interface MountMode {
  readOnly: boolean;
  /** Null: not said. */
  propagation: Propagation | null;
  /** Null: not said. */
  copy: boolean | null;
}

const kinds: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'],
  ['nocopy'],
  ['consistent', 'cached', 'delegated'],
];
const kindOf = new Map(kinds.flatMap((words, kind) => words.map((word) => [word, kind] as const)));
const propagationKind = 2;

/** The mode, or null where it cannot be read. */
export function parseMode(text: string): MountMode | null {
  const mode: MountMode = { readOnly: false, propagation: null, copy: null };
  if (text === '') return mode;
  const seen = new Set<number>();
  for (const word of text.split(',')) {
    const kind = kindOf.get(word);
    if (kind === undefined || seen.has(kind)) return null;
    seen.add(kind);
    if (word === 'ro') mode.readOnly = true;
    if (word === 'nocopy') mode.copy = false;
    if (kind === propagationKind) mode.propagation = word as Propagation;
  }
  return mode;
}

export function isPropagation(text: string): text is Propagation {
  return kindOf.get(text) === propagationKind;
}
