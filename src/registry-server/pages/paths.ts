/** Which requests are for pages. Stands alone, so that whoever wants no page does not load them. */
const fixed = new Set(['/', '/search', '/sign-in', '/sign-out', '/sign-up', '/settings', '/users', '/favicon.svg']);
const prefixes = ['/r/', '/u/', '/settings/', '/style-'];
const api = /^\/(?:v\d+|token|berth)(?:\/|$)/;

/** @param accept of the request: a browser gets pages for what is not there, too */
export function isPagePath(path: string, accept: string): boolean {
  if (api.test(path)) return false;
  return fixed.has(path) || prefixes.some((prefix) => path.startsWith(prefix)) || accept.includes('text/html');
}
