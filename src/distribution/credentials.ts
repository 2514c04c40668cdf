/** Credentials as clients send them (`X-Registry-Auth`, https://docs.docker.com/reference/api/engine/#section/Authentication). */
import type { AuthConfig } from '../api/types/image.ts';

export type Credentials =
  | { kind: 'password'; username: string; password: string }
  /** A refresh token that an earlier login gave. */
  | { kind: 'identity'; token: string }
  /** A bearer token that is sent as it is. */
  | { kind: 'registry'; token: string };

/** Null: anonymous. */
export function credentialsOf(auth: Partial<AuthConfig> | null): Credentials | null {
  if (!auth) return null;
  if (auth.registrytoken) return { kind: 'registry', token: auth.registrytoken };
  if (auth.identitytoken) return { kind: 'identity', token: auth.identitytoken };
  if (auth.username) return { kind: 'password', username: auth.username, password: auth.password ?? '' };
  if (!auth.auth) return null;
  const decoded = Buffer.from(auth.auth, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon <= 0) return null;
  return {
    kind: 'password',
    username: decoded.slice(0, colon),
    password: decoded.slice(colon + 1).replace(/\0+$/, ''),
  };
}

/** The value of an `Authorization` header (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
