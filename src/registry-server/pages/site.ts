/** What the pages stand on: the parts of the registry that `programs/registry` hands over. */
import type { AccessTokens } from '../access/access-tokens.ts';
import type { Accounts } from '../access/accounts.ts';
import type { Browsers } from '../access/browsers.ts';
import type { Guard } from '../access/guard.ts';
import type { PasswordCheck, Passwords } from '../access/passwords.ts';
import type { Content } from '../storage/content.ts';
import type { Showcase } from '../storage/types.ts';

export interface Site {
  content: Content;
  guard: Guard;
  accounts: Accounts;
  passwords: PasswordCheck;
  hashes: Passwords;
  accessTokens: AccessTokens;
  browsers: Browsers;
  showcase: Showcase;
  /** Only this registry has it: it makes the forms' tokens. */
  key: Buffer;
  mayDelete: boolean;
  /** Visitors may make accounts. */
  maySignUp: boolean;
}
