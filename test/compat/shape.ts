/** The shape of a JSON value: each path with the kinds of value seen there. Keys that are names of things become `*`. */

/** Path → kinds, sorted and joined by `|`: `string`, `integer`, `number`, `boolean`, `null`, `object`, `array`. */
export type Shape = Record<string, string>;

/** In a list of changes: the path is gone. */
export const absent = 'absent';

/** Objects whose keys are names, not fields. */
const named =
  /(\.Labels|\.Options|\.Networks|\.Ports|\.PortBindings|\.ExposedPorts|\.Volumes|\.Containers|\.IndexConfigs|\.Runtimes|\.stats|\.Details|\.Data|\.networks|\.Tmpfs|\.status|\.LogConfig\.Config)$/;

export function shapeOf(value: unknown): Shape {
  const kinds = new Map<string, Set<string>>();
  visit(value, '', kinds);
  return Object.fromEntries(
    [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, set]) => [path, [...set].sort().join('|')]),
  );
}

function visit(value: unknown, path: string, kinds: Map<string, Set<string>>): void {
  const seen = kinds.get(path) ?? new Set();
  kinds.set(path, seen.add(kindOf(value)));
  if (Array.isArray(value)) for (const item of value) visit(item, `${path}[]`, kinds);
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) visit(item, `${path}.${named.test(path) ? '*' : key}`, kinds);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** What differs, one line each that begins with the path; `wanted` is Docker's. */
export function compareShapes(wanted: Shape, have: Shape): string[] {
  const lines: string[] = [];
  for (const path of new Set([...Object.keys(wanted), ...Object.keys(have)])) {
    const want = wanted[path] ?? absent;
    const got = have[path] ?? absent;
    if (want !== got) lines.push(`${path || '(top)'}: ${got}, Docker has ${want}`);
  }
  return lines.sort();
}

/** What makes `next` out of `before`. */
export function shapeChanges(before: Shape, next: Shape): Shape {
  const changes: Shape = {};
  for (const path of new Set([...Object.keys(before), ...Object.keys(next)]))
    if (before[path] !== next[path]) changes[path] = next[path] ?? absent;
  return changes;
}

export function applyChanges(before: Shape, changes: Shape): Shape {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, kinds]) => kinds !== absent));
}
