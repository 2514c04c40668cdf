/** Bearer tokens of this registry: JSON Web Tokens (RFC 7519), signed by a key that only it has (HS256). */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/** Something that a token allows, as the token specification writes it: `repository:app/web:pull,push`. */
export interface Scope {
  type: string;
  name: string;
  actions: string[];
}

export interface Claims {
  /** Empty: nobody in particular. */
  sub: string;
  access: Scope[];
  /** What it is good for; a token to get tokens with opens nothing itself. */
  use: 'access' | 'refresh';
  /** Seconds since 1970. */
  exp: number;
  /** Id of the access token that it was given for; without one it was the password. */
  key?: number;
  /** Of a refresh token: the password's stamp. */
  stamp?: string;
}

const head = base64('{"alg":"HS256","typ":"JWT"}');

export class Tokens {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** @param lifetime seconds */
  issue(claims: Omit<Claims, 'exp'>, lifetime: number): string {
    const now = Math.trunc(Date.now() / 1000);
    const body = { iss: 'berth-registry', jti: randomUUID(), iat: now, nbf: now, exp: now + lifetime, ...claims };
    const text = `${head}.${base64(JSON.stringify(body))}`;
    return `${text}.${this.#sign(text).toString('base64url')}`;
  }

  /** Null: not ours, or too old. */
  read(token: string): Claims | null {
    const [first = '', second = '', signature = '', ...more] = token.split('.');
    if (first !== head || more.length > 0) return null;
    const given = Buffer.from(signature, 'base64url');
    const right = this.#sign(`${first}.${second}`);
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    const claims = JSON.parse(Buffer.from(second, 'base64url').toString()) as Claims;
    return claims.exp > Date.now() / 1000 ? claims : null;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** `repository:host:5000/name:pull,push` → its parts; null where it is none. */
export function parseScope(text: string): Scope | null {
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  if (first <= 0 || last <= first) return null;
  const actions = text
    .slice(last + 1)
    .split(',')
    .filter(Boolean);
  // `repository(plugin)` names the same thing.
  const type = text.slice(0, first).replace(/\(.*\)$/, '');
  return { type, name: text.slice(first + 1, last), actions };
}
