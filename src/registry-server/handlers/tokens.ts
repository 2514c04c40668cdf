/** Tokens for credentials (https://distribution.github.io/distribution/spec/auth/token/ and …/auth/oauth/). */
import type { Guard } from '../access/guard.ts';
import type { Identity, PasswordCheck } from '../access/passwords.ts';
import { parseScope, type Scope, type Tokens } from '../access/tokens.ts';
import { type Call, type RegistryHandler, sendJson } from '../context.ts';
import { RegistryProblem } from '../problem.ts';
import { readWhole } from './requests.ts';

export interface TokenService {
  guard: Guard;
  passwords: PasswordCheck;
  tokens: Tokens;
}

/** Seconds. */
const accessLifetime = 300;
const refreshLifetime = 90 * 24 * 3600;
const longestForm = 64 * 1024;

/** `GET /token` with basic credentials, or with none for what everybody may do. */
export function getToken(service: TokenService): RegistryHandler {
  return async (call) => {
    const identity = await basicIdentity(service, call);
    const wantsRefresh = call.query.get('offline_token') === 'true' && identity !== null;
    await answer(service, call, { identity, scopes: call.query.getAll('scope'), wantsRefresh });
  };
}

/** `POST /token`: a form with a password or a refresh token. */
export function postToken(service: TokenService): RegistryHandler {
  return async (call) => {
    const form = new URLSearchParams((await readWhole(call.request, longestForm)).toString());
    const identity = await formIdentity(service, call, form);
    if (!identity) throw wrong();
    const wantsRefresh = form.get('access_type') === 'offline';
    await answer(service, call, { identity, scopes: form.getAll('scope'), wantsRefresh });
  };
}

async function basicIdentity(service: TokenService, call: Call): Promise<Identity | null> {
  const header = call.request.headers.get('authorization');
  if (header === undefined || service.guard.isOpen) return null;
  const value = /^basic\s+(\S+)$/i.exec(header)?.[1];
  const identity = value ? await service.guard.basic(call.request, value) : null;
  if (!identity) throw wrong();
  return identity;
}

async function formIdentity(
  { guard, passwords, tokens }: TokenService,
  call: Call,
  form: URLSearchParams,
): Promise<Identity | null> {
  if (form.get('grant_type') === 'password')
    return guard.login(call.request, form.get('username') ?? '', form.get('password') ?? '');
  const claims = tokens.read(form.get('refresh_token') ?? '');
  if (claims?.use !== 'refresh') return null;
  const stamp = await passwords.stamp(claims.sub, claims.key);
  return stamp !== null && stamp === claims.stamp ? passwords.known(claims.sub, claims.key) : null;
}

async function answer(
  { guard, tokens, passwords }: TokenService,
  call: Call,
  options: { identity: Identity | null; scopes: string[]; wantsRefresh: boolean },
): Promise<void> {
  const { identity } = options;
  const asked = options.scopes.flatMap((text) => text.split(' ')).flatMap((text) => parseScope(text) ?? []);
  const access = asked.map((scope) => granted(guard, identity, scope));
  const who = { sub: identity?.name ?? '', key: identity?.key?.id };
  const token = tokens.issue({ ...who, access, use: 'access' }, accessLifetime);
  const stamp = options.wantsRefresh ? await passwords.stamp(who.sub, who.key) : null;
  sendJson(call, {
    token,
    access_token: token,
    expires_in: accessLifetime,
    issued_at: new Date().toISOString(),
    scope: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' '),
    ...(stamp && { refresh_token: tokens.issue({ ...who, access: [], use: 'refresh', stamp }, refreshLifetime) }),
  });
}

function granted(guard: Guard, identity: Identity | null, scope: Scope): Scope {
  if (scope.type !== 'repository') return { ...scope, actions: identity ? scope.actions : [] };
  const may = guard.actions(identity, scope.name);
  const wantsAll = scope.actions.includes('*');
  return { ...scope, actions: may.filter((action) => wantsAll || scope.actions.includes(action)) };
}

function wrong(): RegistryProblem {
  return new RegistryProblem('UNAUTHORIZED', { message: 'incorrect username or password' });
}
