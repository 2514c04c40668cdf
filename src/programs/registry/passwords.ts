import type { Passwords } from '../../registry-server/access/passwords.ts';

/** Argon2id for what we hash; of others' files bcrypt in all its spellings, as Apache writes it. Both work in threads of their own. */
export const passwords: Passwords = {
  hash: (password) => Bun.password.hash(password, { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 }),
  async verify(password, hash) {
    if (!/^\$(?:2[aby]|argon2id)\$/.test(hash)) return false;
    return Bun.password.verify(password, hash);
  },
};
