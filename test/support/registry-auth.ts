/** Who may talk to the test registry: basic credentials, or tokens from the registry's own `/token` route. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export type RegistryAuth =
  | { kind: 'basic'; user: string; password: string }
  | {
      kind: 'token';
      /** Without user: anybody gets a token. */
      user?: string;
      password?: string;
      /** A refresh token that stands for the password (`identitytoken`). */
      identityToken?: string;
      /** Where the token is had; default this registry's `/token`. */
      realm?: string;
      /** Repositories that no token opens. */
      denied?: readonly string[];
      /** Seconds; default 300. */
      expiresIn?: number;
    };

export class RegistryGate {
  readonly #auth: RegistryAuth;
  /** Token → scopes it opens. */
  readonly #tokens = new Map<string, { scopes: string[]; until: number }>();
  #issued = 0;

  constructor(auth: RegistryAuth) {
    this.#auth = auth;
  }

  /** True: go on. False: the request is answered. */
  async admit(request: IncomingMessage, response: ServerResponse, base: string): Promise<boolean> {
    const url = new URL(request.url ?? '/', base);
    if (this.#auth.kind === 'token' && url.pathname === '/token') {
      await this.#token(request, response, url);
      return false;
    }
    const authorization = request.headers.authorization ?? '';
    if (this.#auth.kind === 'basic') {
      if (authorization === basic(this.#auth.user, this.#auth.password)) return true;
      return challenge(response, 'Basic realm="test registry"');
    }
    const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url.pathname)?.[1];
    const scope =
      repository &&
      `repository:${repository}:pull${request.method === 'GET' || request.method === 'HEAD' ? '' : ',push'}`;
    const token = this.#tokens.get(authorization.replace(/^Bearer /, ''));
    const opens = token && token.until > Date.now() && (!scope || token.scopes.some((one) => covers(one, scope)));
    if (opens) return true;
    const realm = this.#auth.realm ?? new URL('/token', base).href;
    return challenge(
      response,
      `Bearer realm="${realm}",service="test registry"${scope ? `,scope="${scope}"` : ''}${token ? ',error="insufficient_scope"' : ''}`,
      token ? 'DENIED' : 'UNAUTHORIZED',
    );
  }

  async #token(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (this.#auth.kind !== 'token') return;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const { user, password, identityToken, denied } = this.#auth;
    const authorization = request.headers.authorization;
    const refresh = form.get('refresh_token');
    const isKnown =
      user === undefined ||
      authorization === basic(user, password ?? '') ||
      (refresh !== null && refresh === identityToken);
    const given = authorization !== undefined || refresh !== null;
    if (!isKnown && given) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ details: 'incorrect username or password' }));
      return;
    }
    const scopes = [...url.searchParams.getAll('scope'), ...form.getAll('scope').flatMap((text) => text.split(' '))];
    const open = isKnown ? scopes.filter((scope) => !denied?.includes(scope.split(':')[1] ?? '')) : [];
    const token = `token-${++this.#issued}`;
    const seconds = this.#auth.expiresIn ?? 300;
    this.#tokens.set(token, { scopes: open, until: Date.now() + seconds * 1000 });
    response.writeHead(200, { 'content-type': 'application/json' });
    const offline = url.searchParams.get('offline_token') === 'true' && identityToken !== undefined && isKnown;
    const refreshToken = offline ? { refresh_token: identityToken } : {};
    response.end(JSON.stringify({ token, access_token: token, expires_in: seconds, ...refreshToken }));
  }
}

function covers(given: string, wanted: string): boolean {
  const [type, name, actions = ''] = given.split(':');
  const [wantedType, wantedName, wantedActions = ''] = wanted.split(':');
  return (
    type === wantedType &&
    name === wantedName &&
    wantedActions.split(',').every((action) => actions.split(',').includes(action))
  );
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function challenge(response: ServerResponse, header: string, code = 'UNAUTHORIZED'): false {
  response.writeHead(401, { 'www-authenticate': header, 'content-type': 'application/json' });
  const message = code === 'DENIED' ? 'requested access to the resource is denied' : 'authentication required';
  response.end(JSON.stringify({ errors: [{ code, message, detail: null }] }));
  return false;
}
