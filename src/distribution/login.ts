/** `POST /auth`: does the registry take these credentials? */
import { BerthError } from '../api/errors.ts';
import type { AuthConfig } from '../api/types/image.ts';
import { defaultDomain } from '../oci/reference.ts';
import { Authorizer, withRequest } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
import { credentialsOf } from './credentials.ts';
import type { Endpoint, Registries } from './registries.ts';
import { registryFailure, UnreachableError } from './registry-errors.ts';
import { Transport } from './transport.ts';

/**
 * Asks the registry of `serveraddress` (a host or a URL; empty: Docker Hub) for its base route with the credentials.
 * Gives the refresh token to keep instead of the password, or ''. Errors with dockerd's status and text.
 */
export async function login(
  auth: Partial<AuthConfig>,
  registries: Registries,
  signal?: AbortSignal,
): Promise<{ identityToken: string }> {
  const endpoints = registries.endpoints(loginDomain(auth.serveraddress ?? '')).filter((one) => !one.isMirror);
  const isInsecure = (host: string): boolean => registries.isInsecure(host);
  const transport = new Transport({ isInsecure });
  let failure: unknown;
  for (const endpoint of endpoints) {
    try {
      return await loginAt(endpoint, { auth, transport, isInsecure, signal });
    } catch (error) {
      failure = error;
      if (!(error instanceof UnreachableError)) break;
    }
  }
  throw registryFailure(failure);
}

/** `https://index.docker.io/v1/`, `docker.io`, `host:5000` → the domain of a reference. */
function loginDomain(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return ['', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? defaultDomain : host;
}

async function loginAt(
  endpoint: Endpoint,
  options: {
    auth: Partial<AuthConfig>;
    transport: Transport;
    isInsecure: (host: string) => boolean;
    signal: AbortSignal | undefined;
  },
): Promise<{ identityToken: string }> {
  const { transport, signal } = options;
  const url = `${endpoint.base}/v2/`;
  const credentials = credentialsOf(options.auth);
  const authorizer = new Authorizer({
    base: endpoint.base,
    credentials,
    transport,
    isInsecure: options.isInsecure,
    wantsIdentity: credentials?.kind === 'password',
  });
  let response = await transport.send({ url, authorization: authorizer.header(''), signal });
  await response.body?.cancel();
  if (response.status === 401) {
    const challenges = parseChallenges(response.headers.get('www-authenticate'));
    let header: string | null;
    try {
      header = await authorizer.answer(challenges, { scope: '', refused: authorizer.header(''), signal });
    } catch (error) {
      throw withRequest(error, 'GET', url);
    }
    if (header !== null) {
      response = await transport.send({ url, authorization: header, signal });
      await response.body?.cancel();
    }
  }
  if (response.status !== 200)
    throw new BerthError(
      'internal',
      `login attempt to ${url} failed with status: ${response.status} ${response.statusText}`.trim(),
    );
  return { identityToken: authorizer.identityToken };
}
