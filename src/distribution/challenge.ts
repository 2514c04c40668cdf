/** `WWW-Authenticate` as registries send it (RFC 9110 section 11.6.1). */

export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  scheme: string;
  parameters: Record<string, string>;
}

/** Every challenge of the header; what cannot be read ends the list. */
export function parseChallenges(header: string | null): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = (header ?? '').trim();
  while (rest !== '') {
    const start = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s+|$|,\s*)/.exec(rest);
    if (!start) return challenges;
    rest = rest.slice(start[0].length);
    const parameters: Record<string, string> = {};
    for (;;) {
      const parameter = /^,?\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))\s*/.exec(rest);
      if (!parameter) break;
      parameters[(parameter[1] as string).toLowerCase()] = (parameter[2] ?? parameter[3] ?? '').replace(/\\(.)/g, '$1');
      rest = rest.slice(parameter[0].length);
    }
    challenges.push({ scheme: (start[1] as string).toLowerCase(), parameters });
    rest = rest.replace(/^,\s*/, '');
  }
  return challenges;
}
