/**
 * Lets a request in or not: who asks (basic credentials, or a token of ours), and what they may do. Answers 401 where better credentials
 * could help, with the challenge that docker follows (https://distribution.github.io/distribution/spec/auth/token/), and 403 where none would.
 */
import { networkOf, type RegistryRequest } from '../http.ts';
import { isRepositoryName, namespaceOf } from '../names.ts';
import { RegistryProblem } from '../problem.ts';
import type { Visibility } from '../storage/types.ts';
import type { Accounts, Role } from './accounts.ts';
import { Attempts } from './attempts.ts';
import type { Identity, PasswordCheck } from './passwords.ts';
import { type Claims, parseScope, type Scope, type Tokens } from './tokens.ts';

export type Action = 'pull' | 'push' | 'delete';

export interface GuardOptions {
  accounts: Accounts;
  passwords: PasswordCheck;
  tokens: Tokens;
  /** How clients are asked to show who they are. */
  scheme: 'token' | 'basic';
  /** Everybody may pull from every namespace. */
  everythingIsPublic: boolean;
}

/** Whoever asks. */
export interface Caller {
  /** Null: nobody in particular. */
  identity: Identity | null;
  /** What the token was asked for; null: no token, no such limit. */
  access: readonly Scope[] | null;
}

const actionsOfRole: Record<Role, readonly Action[]> = {
  read: ['pull'],
  write: ['pull', 'push'],
  admin: ['pull', 'push', 'delete'],
};
const everything = actionsOfRole.admin;
/** Of names that somebody guesses. */
const longestName = 255;
const nobody: Caller = { identity: null, access: null };

export class Guard {
  readonly #options: GuardOptions;
  /** Wrong passwords for a name from one place. */
  readonly #guesses = new Attempts({ most: 30, window: 60_000 });

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Without users nobody is asked anything. */
  get isOpen(): boolean {
    return this.#options.passwords.isOpen;
  }

  /** Error: 401 for credentials that are wrong. */
  async caller(request: RegistryRequest): Promise<Caller> {
    const header = request.headers.get('authorization');
    if (header === undefined || this.isOpen) return nobody;
    const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)\s*$/.exec(header) ?? [];
    if (scheme.toLowerCase() === 'basic') {
      const identity = await this.basic(request, value);
      if (identity) return { identity, access: null };
      throw this.#challenge(request, { message: 'incorrect username or password' });
    }
    const claims = scheme.toLowerCase() === 'bearer' ? this.#options.tokens.read(value) : null;
    const caller = claims?.use === 'access' ? await this.#bearer(claims) : null;
    if (!caller) throw this.#challenge(request, { error: 'invalid_token' });
    return caller;
  }

  /** As `login`. @param value of a basic `Authorization` header */
  async basic(request: RegistryRequest, value: string): Promise<Identity | null> {
    const text = Buffer.from(value, 'base64').toString();
    const colon = text.indexOf(':');
    return colon > 0 ? this.login(request, text.slice(0, colon), text.slice(colon + 1)) : null;
  }

  /** Null: no such user, or not the password. Error: 429 for one who has guessed too often. */
  async login(request: RegistryRequest, name: string, password: string): Promise<Identity | null> {
    const key = `${networkOf(request)} ${name.slice(0, longestName)}`;
    const seconds = this.#guesses.wait(key);
    if (seconds > 0)
      throw new RegistryProblem('TOOMANYREQUESTS', {
        message: 'too many failed logins',
        headers: { 'Retry-After': String(seconds) },
      });
    const identity = await this.#options.passwords.check(name, password);
    // Many right ones at once are nobody's guesses.
    if (!identity) this.#guesses.take(key);
    return identity;
  }

  async #bearer(claims: Claims): Promise<Caller | null> {
    if (claims.sub === '') return { identity: null, access: claims.access };
    const identity = await this.#options.passwords.known(claims.sub, claims.key);
    return identity && { identity, access: claims.access };
  }

  /** Error: 401 or 403. Gives who it is. */
  require(request: RegistryRequest, repository: string, ...wanted: Action[]): Promise<Caller> {
    return this.#admit(request, `repository:${repository}:${wanted.join(',')}`);
  }

  /** As `require`, for a push that may take a blob from another repository: a challenge names that too, clients answer one. */
  requirePush(request: RegistryRequest, repository: string, from: string | null): Promise<Caller> {
    const source = from !== null && isRepositoryName(from) ? ` repository:${from}:pull` : '';
    return this.#admit(request, `repository:${repository}:pull,push`, source);
  }

  async #admit(request: RegistryRequest, scope: string, more = ''): Promise<Caller> {
    if (this.isOpen) return nobody;
    const caller = await this.caller(request);
    const { name = '', actions = [] } = parseScope(scope) ?? {};
    const may: readonly string[] = this.actions(caller.identity, name);
    if (!actions.every((action) => may.includes(action))) {
      if (caller.identity) throw new RegistryProblem('DENIED', { detail: accessRecords(scope) });
      throw this.#challenge(request, { scope: scope + more });
    }
    this.#requireScope(request, caller, scope, more);
    return caller;
  }

  /** Who may have a list of what they may see. Error: 401. */
  async requireCatalog(request: RegistryRequest): Promise<Caller> {
    const caller = await this.caller(request);
    if (this.isOpen) return caller;
    const scope = 'registry:catalog:*';
    if (!caller.identity) throw this.#challenge(request, { scope });
    this.#requireScope(request, caller, scope);
    return caller;
  }

  /** Error: 401 for a token that was not asked for that. @param more what a client asks for in the same go */
  #requireScope(request: RegistryRequest, { access }: Caller, scope: string, more = ''): void {
    const { type = '', name = '', actions = [] } = parseScope(scope) ?? {};
    const allowed = access && actionsOf(access, type, name);
    if (allowed && !actions.every((action) => allowed.includes(action)))
      throw this.#challenge(request, { scope: scope + more, error: 'insufficient_scope' });
  }

  /** `GET /v2/`: a token of nobody is good enough, no token is not. */
  async requireAny(request: RegistryRequest): Promise<void> {
    const caller = await this.caller(request);
    if (!this.isOpen && !caller.identity && !caller.access) throw this.#challenge(request, {});
  }

  actions(identity: Identity | null, repository: string): readonly Action[] {
    const may = this.#owned(identity, repository);
    if (!identity?.key) return may;
    const most = actionsOfRole[identity.key.role];
    return may.filter((action) => most.includes(action));
  }

  /** Of what belongs to the repository's namespace: settings, and who else may do what. */
  mayRule(identity: Identity | null, namespace: string): boolean {
    return this.isOpen || (identity !== null && !identity.key && (identity.isAdmin || identity.name === namespace));
  }

  #owned(identity: Identity | null, repository: string): readonly Action[] {
    const { accounts, everythingIsPublic } = this.#options;
    if (this.isOpen || identity?.isAdmin) return everything;
    const namespace = namespaceOf(repository);
    if (identity?.name === namespace) return everything;
    const role = identity && accounts.role(namespace, identity.name);
    if (role) return actionsOfRole[role];
    return everythingIsPublic || accounts.isPublic(namespace) ? ['pull'] : [];
  }

  /** What of all repositories somebody may know of. */
  visibleTo(identity: Identity | null): Visibility {
    if (this.isOpen || identity?.isAdmin) return null;
    const known = new Map<string, boolean>();
    return (repository) => {
      const namespace = namespaceOf(repository);
      let isVisible = known.get(namespace);
      if (isVisible === undefined) {
        isVisible = this.actions(identity, repository).includes('pull');
        known.set(namespace, isVisible);
      }
      return isVisible;
    };
  }

  /**
   * Whether somebody who pushes may take things from another repository by the way. Error: 401 for a token that was not asked for that, where its
   * owner may; it says both scopes, as Docker's registry does.
   */
  mayMount(
    request: RegistryRequest,
    { identity, access }: Caller,
    repositories: { from: string; to: string },
  ): boolean {
    const { from, to } = repositories;
    if (!this.actions(identity, from).includes('pull')) return false;
    if (!this.actions(null, from).includes('pull'))
      this.#requireScope(request, { identity, access }, `repository:${from}:pull`, ` repository:${to}:pull,push`);
    return true;
  }

  /** Where somebody may take things from who does not say where: with a token where it was asked for, and what is open to everybody. */
  mountableBy({ identity, access }: Caller): Visibility {
    const visible = this.visibleTo(identity);
    if (access === null) return visible;
    const everybodys = this.visibleTo(null);
    return (repository) => {
      const isAskedFor = actionsOf(access, 'repository', repository).includes('pull');
      return (isAskedFor ? visible : everybodys)?.(repository) ?? true;
    };
  }

  #challenge(request: RegistryRequest, options: { scope?: string; error?: string; message?: string }): RegistryProblem {
    return new RegistryProblem('UNAUTHORIZED', {
      ...(options.message && { message: options.message }),
      detail: accessRecords(options.scope ?? ''),
      headers: { 'WWW-Authenticate': this.#challengeHeader(request, options) },
    });
  }

  #challengeHeader(request: RegistryRequest, options: { scope?: string; error?: string }): string {
    if (this.#options.scheme === 'basic') return 'Basic realm="Berth registry"';
    const fields = [`realm="${originOf(request)}/token"`, `service="${hostOf(request)}"`];
    if (options.scope) fields.push(`scope="${options.scope}"`);
    if (options.error) fields.push(`error="${options.error}"`);
    return `Bearer ${fields.join(',')}`;
  }
}

/** Clients ask for one repository several times: with `pull`, then with `pull,push`. */
function actionsOf(access: readonly Scope[], type: string, name: string): string[] {
  return access.flatMap((scope) => (scope.type === type && scope.name === name ? scope.actions : []));
}

/**
 * What was wanted, as Docker's registry says it. Without a detail docker takes the code alone, prints `unauthorized` without the message and
 * tries again.
 */
function accessRecords(scopes: string): object[] {
  return scopes.split(' ').flatMap((scope) => {
    const { type = '', name = '', actions = [] } = parseScope(scope) ?? {};
    return actions.map((action) => ({ Type: type, Class: '', Name: name, Action: action }));
  });
}

/** Where the client reached us, as far as it and a proxy in front of us tell. */
export function originOf(request: RegistryRequest): string {
  const forwarded = request.headers.get('x-forwarded-proto');
  const isTls = forwarded ? forwarded === 'https' : 'encrypted' in request.connection;
  return `${isTls ? 'https' : 'http'}://${hostOf(request)}`;
}

export function hostOf({ headers }: RegistryRequest): string {
  const host = headers.get('x-forwarded-host') ?? headers.get('host') ?? 'localhost';
  return host.replace(/["\\\s]/g, '');
}
