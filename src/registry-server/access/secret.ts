import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits, as text for cookies and tokens. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a secret. So many random bits need no slow hash. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
