/** What registries and networks answer when something is wrong, in the words that dockerd gives to its clients. */
import { BerthError, errorMessage } from '../api/errors.ts';
import { familiarName, familiarString, type Reference } from '../oci/reference.ts';
import { parseChallenges } from './challenge.ts';

/** A registry's refusal. `code` is one of https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes, or empty. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status: number;
  readonly registryCode: string;
  /** Milliseconds after which the registry wants to be asked again; 0: it did not say. */
  readonly retryAfter: number;

  constructor(status: number, registryCode: string, message: string, retryAfter = 0) {
    super(message);
    this.status = status;
    this.registryCode = registryCode;
    this.retryAfter = retryAfter;
  }
}

/** The registry could not be talked to at all: no connection, no such host, no valid certificate. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  /** It answered, but not in TLS. */
  readonly isPlain: boolean;

  constructor(message: string, options: { isPlain?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.isPlain = options.isPlain ?? false;
  }
}

/** Turns an error status into an error. @param body the answer's text, or '' after HEAD */
export function responseError(response: Response, body: string): RegistryError {
  const error = refusal(response, body);
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0;
  return new RegistryError(error.status, error.registryCode, error.message, retryAfter);
}

function refusal(response: Response, body: string): RegistryError {
  const { status } = response;
  if (status < 400 || status >= 500)
    return new RegistryError(status, '', `received unexpected HTTP status: ${status} ${response.statusText}`.trim());
  for (const challenge of parseChallenges(response.headers.get('www-authenticate'))) {
    if (challenge.scheme !== 'bearer') continue;
    const description = challenge.parameters.error_description;
    if (challenge.parameters.error === 'insufficient_scope')
      return new RegistryError(
        status,
        'DENIED',
        `denied: ${description || 'requested access to the resource is denied'}`,
      );
    if (challenge.parameters.error === 'invalid_token')
      return new RegistryError(status, 'UNAUTHORIZED', `unauthorized: ${description || 'authentication required'}`);
  }
  const [first] = readErrors(body);
  if (first) return new RegistryError(status, first.code, codeText(first.code, first.message));
  const bare: Record<number, [code: string, message: string]> = {
    401: ['UNAUTHORIZED', 'unauthorized: authentication required'],
    403: ['DENIED', 'denied: requested access to the resource is denied'],
    404: ['', 'not found: 404 Not Found'],
    429: ['TOOMANYREQUESTS', 'toomanyrequests: too many requests'],
  };
  const known = bare[status];
  const detail = readDetails(body);
  if (known && detail && known[0] !== '') return new RegistryError(status, known[0], `${codeText(known[0], detail)}`);
  if (known && (body.trim() === '' || status === 401)) return new RegistryError(status, known[0], known[1]);
  return new RegistryError(
    status,
    '',
    `error parsing HTTP ${status} response body: no error details found in HTTP response body: ${JSON.stringify(body.slice(0, 500))}`,
  );
}

function codeText(code: string, message: string): string {
  return `${code.toLowerCase().replaceAll('_', ' ')}: ${message || 'unknown error'}`;
}

function readErrors(body: string): { code: string; message: string }[] {
  const list = (readJson(body) as { errors?: unknown } | null)?.errors;
  if (!Array.isArray(list)) return [];
  return list
    .filter((entry): entry is Record<string, unknown> => typeof entry === 'object' && entry !== null)
    .map((entry) => ({ code: String(entry.code ?? ''), message: String(entry.message ?? '').slice(0, 2000) }));
}

function readDetails(body: string): string {
  const details = (readJson(body) as { details?: unknown } | null)?.details;
  return typeof details === 'string' ? details.slice(0, 2000) : '';
}

function readJson(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' ? value : null;
  } catch {
    // Proxies answer in HTML; the caller has a text for it.
    return null;
  }
}

/** A failed `fetch` as an error with the text of Go's HTTP client. @param url what dockerd would have asked for first */
export function networkError(error: unknown, url: URL, method = 'Get'): UnreachableError {
  const { code = '', name } = error as { code?: string; name?: string };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const prefix = `${method} "${url.href}": `;
  const tls = 'tls: failed to verify certificate: x509: ';
  const texts: Record<string, string> = {
    ECONNREFUSED: `dial tcp ${address}: connect: connection refused`,
    ConnectionRefused: `dial tcp ${address}: connect: connection refused`,
    EHOSTUNREACH: `dial tcp ${address}: connect: no route to host`,
    ENETUNREACH: `dial tcp ${address}: connect: network is unreachable`,
    ETIMEDOUT: `dial tcp ${address}: connect: connection timed out`,
    ENOTFOUND: `dial tcp: lookup ${host}: no such host`,
    EAI_AGAIN: `dial tcp: lookup ${host}: Temporary failure in name resolution`,
    ECONNRESET: 'EOF',
    EPROTO: 'http: server gave HTTP response to HTTPS client',
    DEPTH_ZERO_SELF_SIGNED_CERT: `${tls}certificate signed by unknown authority`,
    SELF_SIGNED_CERT_IN_CHAIN: `${tls}certificate signed by unknown authority`,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${tls}certificate signed by unknown authority`,
    UNABLE_TO_GET_ISSUER_CERT: `${tls}certificate signed by unknown authority`,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `${tls}certificate signed by unknown authority`,
    CERT_HAS_EXPIRED: `${tls}certificate has expired or is not yet valid`,
    CERT_NOT_YET_VALID: `${tls}certificate has expired or is not yet valid`,
    ERR_TLS_CERT_ALTNAME_INVALID: `${tls}certificate is not valid for ${host}`,
  };
  const text =
    name === 'TimeoutError'
      ? 'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)'
      : (texts[code] ?? errorMessage(error));
  return new UnreachableError(prefix + text, { isPlain: code === 'EPROTO', cause: error });
}

/** What a pull of `reference` says to its client. */
export function pullError(error: unknown, reference: Reference): BerthError {
  if (error instanceof BerthError) return error;
  if (error instanceof RegistryError) {
    switch (error.registryCode) {
      case 'DENIED':
        return new BerthError(
          'not-found',
          `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${error.message}`,
          { code: 'pull-access-denied', cause: error },
        );
      case 'MANIFEST_UNKNOWN':
        return new BerthError('not-found', `manifest for ${familiarString(reference)} not found: ${error.message}`, {
          cause: error,
        });
      case 'NAME_UNKNOWN':
        return new BerthError('not-found', `repository ${familiarName(reference)} not found: ${error.message}`, {
          cause: error,
        });
      default:
        return registryFailure(error);
    }
  }
  return registryFailure(error);
}

/** Any other request's failure, with the status that dockerd gives it. */
export function registryFailure(error: unknown): BerthError {
  if (error instanceof BerthError) return error;
  if (error instanceof RegistryError) {
    if (error.registryCode === 'UNAUTHORIZED') return new BerthError('unauthorized', error.message, { cause: error });
    if (error.registryCode === 'DENIED') return new BerthError('forbidden', error.message, { cause: error });
    if (error.registryCode === 'TOOMANYREQUESTS')
      return new BerthError('unavailable', error.message, { code: 'too-many-requests', cause: error });
    if (error.status === 404) return new BerthError('not-found', error.message, { cause: error });
  }
  if (error instanceof UnreachableError)
    return new BerthError('internal', error.message, { code: 'registry-unreachable', cause: error });
  return new BerthError('internal', errorMessage(error), { cause: error });
}
