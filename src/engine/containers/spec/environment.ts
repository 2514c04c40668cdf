const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the engine sets before the container's own variables. */
export interface EnvironmentBase {
  hostname: string;
  terminal: boolean;
  /** Variables of links to other containers. */
  links: readonly string[];
}

/** The variables of a container's first process, in Docker's order. */
export function containerEnvironment(base: EnvironmentBase, own: readonly string[]): string[] {
  const defaults = [`PATH=${defaultPath}`, `HOSTNAME=${base.hostname}`];
  if (base.terminal) defaults.push('TERM=xterm');
  return mergeEnvironment([...defaults, ...base.links], own);
}

/** HOME where the variables do not have it. @param home null: the runtime finds it */
export function withHome(variables: string[], home: string | null): string[] {
  if (home === null || variables.some((entry) => keyOf(entry) === 'HOME')) return variables;
  return [...variables, `HOME=${home}`];
}

/** `changes` over `base`: `KEY=value` replaces in place or is appended, a bare `KEY` takes it away. */
export function mergeEnvironment(base: readonly string[], changes: readonly string[]): string[] {
  const result = new Map<string, string>();
  for (const entry of base) result.set(keyOf(entry), entry);
  for (const entry of changes) {
    if (entry.includes('=')) result.set(keyOf(entry), entry);
    else result.delete(entry);
  }
  return [...result.values()];
}

/** The name of the variable in `KEY=value`. */
export function keyOf(entry: string): string {
  const separator = entry.indexOf('=');
  return separator < 0 ? entry : entry.slice(0, separator);
}
