/** Finds the route of a request. */
import { BerthError } from '../api/errors.ts';
import { type Route, type RouteName, routes } from '../api/routes.ts';

export interface Match {
  name: RouteName;
  route: Route;
  parameters: Readonly<Record<string, string>>;
}

interface Dynamic {
  route: Route & { name: RouteName };
  pattern: RegExp;
  names: string[];
}

const noParameters = {};
const fixed = new Map<string, Route & { name: RouteName }>();
/** By method and first segment, in the order of the table. */
const dynamic = new Map<string, Dynamic[]>();

for (const route of routes) {
  if (!route.path.includes('{')) {
    fixed.set(`${route.method} ${route.path}`, route);
    continue;
  }
  const names: string[] = [];
  const source = route.path.replace(/\{(\w+)(\.\.\.)?\}/g, (_whole, name: string, rest: string | undefined) => {
    names.push(name);
    return rest ? '(.+)' : '([^/]+)';
  });
  const key = `${route.method} ${route.path.split('/')[1]}`;
  const group = dynamic.get(key) ?? [];
  group.push({ route, pattern: new RegExp(`^${source}$`, 's'), names });
  dynamic.set(key, group);
}

/** @param path decoded, without the version prefix. Null: page not found. */
export function matchRoute(method: string, path: string): Match | null {
  const exact = fixed.get(`${method} ${path}`);
  if (exact) return { name: exact.name, route: exact, parameters: noParameters };
  for (const { route, pattern, names } of dynamic.get(`${method} ${path.split('/')[1]}`) ?? []) {
    const match = pattern.exec(path);
    if (!match) continue;
    const parameters: Record<string, string> = {};
    names.forEach((name, index) => {
      parameters[name] = match[index + 1] as string;
    });
    return { name: route.name, route, parameters };
  }
  return null;
}

/** Splits a request target and decodes its path. Error: `invalid`. */
export function splitTarget(target: string): { path: string; search: string } {
  // An absolute URI (RFC 9112, 3.2.2) names us anyway.
  const local = target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const question = local.indexOf('?');
  const raw = question < 0 ? local : local.slice(0, question);
  const search = question < 0 ? '' : local.slice(question + 1);
  if (!raw.includes('%')) return { path: raw, search };
  try {
    return { path: decodeURIComponent(raw), search };
  } catch (cause) {
    throw new BerthError('invalid', `invalid URL escape in ${JSON.stringify(raw)}`, { cause });
  }
}

/** The path without empty and dot segments; dockerd redirects to it. */
export function cleanPath(path: string): string {
  if (!/\/(\/|\.)/.test(path)) return path;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}${path.endsWith('/') && segments.length > 0 ? '/' : ''}`;
}
