/** The registry: from a request's path to its handler, and from what a handler throws to an answer. */
import type { Guard } from './access/guard.ts';
import type { PasswordCheck } from './access/passwords.ts';
import type { Tokens } from './access/tokens.ts';
import { type Call, type MirrorSource, type RegistryContext, type RegistryHandler, sendJson } from './context.ts';
import { deleteBlob, readBlob } from './handlers/blobs.ts';
import { catalog, listTags, search } from './handlers/lists.ts';
import { deleteManifest, listReferrers, readManifest, writeManifest } from './handlers/manifests.ts';
import { describeRepository, showRepository, starRepository, unstarRepository } from './handlers/repositories.ts';
import { getToken, postToken } from './handlers/tokens.ts';
import { cancelUpload, continueUpload, finishUpload, startUpload, uploadStatus } from './handlers/uploads.ts';
import type { RegistryRequest, RegistryResponse } from './http.ts';
import { checkRepositoryName } from './names.ts';
import { isPagePath } from './pages/paths.ts';
import { problemOf, RegistryProblem } from './problem.ts';
import type { Content } from './storage/content.ts';

export interface RegistryOptions {
  content: Content;
  guard: Guard;
  passwords: PasswordCheck;
  tokens: Tokens;
  mirror: MirrorSource | null;
  mayDelete: boolean;
  mayBeSparse: boolean;
  /** Pages for browsers, loaded when the first is asked for; null: none. */
  pages: (() => Promise<PageFront>) | null;
  /** Told about every answer. */
  onAnswer?(answer: { method: string; target: string; status: number; error?: unknown }): void;
}

export interface PageFront {
  /** Answers. Gives what was wrong with the request, or null. @param path decoded */
  handle(request: RegistryRequest, response: RegistryResponse, path: string): Promise<Refusal | null>;
}

export interface Refusal {
  status: number;
  error: unknown;
}

type Verbs = Partial<Record<string, RegistryHandler>>;

/** Behind the repository's name. The first that fits counts. */
const repositoryRoutes: { pattern: RegExp; verbs: Verbs }[] = [
  {
    pattern: /^(.+)\/manifests\/([^/]+)$/,
    verbs: { GET: readManifest, HEAD: readManifest, PUT: writeManifest, DELETE: deleteManifest },
  },
  { pattern: /^(.+)\/blobs\/uploads\/?()$/, verbs: { POST: startUpload } },
  {
    pattern: /^(.+)\/blobs\/uploads\/([^/]+)$/,
    verbs: { GET: uploadStatus, HEAD: uploadStatus, PATCH: continueUpload, PUT: finishUpload, DELETE: cancelUpload },
  },
  { pattern: /^(.+)\/blobs\/([^/]+)$/, verbs: { GET: readBlob, HEAD: readBlob, DELETE: deleteBlob } },
  { pattern: /^(.+)\/tags\/list()$/, verbs: { GET: listTags, HEAD: listTags } },
  { pattern: /^(.+)\/referrers\/([^/]+)$/, verbs: { GET: listReferrers, HEAD: listReferrers } },
];
/** What only Berth has: a repository's description and stars. */
const ownRoutes: { pattern: RegExp; verbs: Verbs }[] = [
  { pattern: /^(.+)\/star()$/, verbs: { PUT: starRepository, DELETE: unstarRepository } },
  { pattern: /^(.+)()$/, verbs: { GET: showRepository, PATCH: describeRepository } },
];
const apiPrefix = '/v2/';
const ownPrefix = '/berth/v1/repositories/';

export class Registry {
  readonly #context: RegistryContext;
  readonly #options: RegistryOptions;
  readonly #fixed: Record<string, Verbs>;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const { content, guard, mirror, mayDelete, mayBeSparse } = options;
    this.#context = { content, guard, mirror, mayDelete, mayBeSparse };
    this.#fixed = {
      '/v2': { GET: base, HEAD: base },
      '/v2/': { GET: base, HEAD: base },
      '/v2/_catalog': { GET: catalog, HEAD: catalog },
      '/token': { GET: getToken(options), POST: postToken(options) },
      '/v1/_ping': { GET: ping, HEAD: ping },
      '/v1/search': { GET: search },
      '/': { GET: ping, HEAD: ping },
    };
  }

  /** Answers one request; never throws. */
  readonly handle = async (request: RegistryRequest, response: RegistryResponse): Promise<void> => {
    response.headers['Docker-Distribution-Api-Version'] = 'registry/2.0';
    response.headers['X-Content-Type-Options'] = 'nosniff';
    try {
      const target = splitTarget(request.target);
      const { pages } = this.#options;
      if (pages && isPagePath(target.path, request.headers.get('accept') ?? ''))
        await this.#page(await pages(), { request, response, path: target.path });
      else {
        const { handler, call } = this.#route({ request, response, target });
        await handler(call);
      }
    } catch (error) {
      this.#fail(request, response, error);
    }
  };

  async #page(
    front: PageFront,
    { request, response, path }: { request: RegistryRequest; response: RegistryResponse; path: string },
  ): Promise<void> {
    const refusal = await front.handle(request, response, path);
    if (refusal) this.#options.onAnswer?.({ method: request.method, target: request.target, ...refusal });
  }

  #route(exchange: { request: RegistryRequest; response: RegistryResponse; target: Target }): {
    handler: RegistryHandler;
    call: Call;
  } {
    const { request, response } = exchange;
    const { path, search: text } = exchange.target;
    const call = {
      context: this.#context,
      request,
      response,
      query: new URLSearchParams(text),
      repository: '',
      reference: '',
    };
    const fixed = Object.hasOwn(this.#fixed, path) ? this.#fixed[path] : undefined;
    if (fixed) return { handler: verbOf(fixed, request.method), call };
    for (const { prefix, routes } of [
      { prefix: apiPrefix, routes: repositoryRoutes },
      { prefix: ownPrefix, routes: ownRoutes },
    ]) {
      if (!path.startsWith(prefix)) continue;
      for (const { pattern, verbs } of routes) {
        const [, repository, reference = ''] = pattern.exec(path.slice(prefix.length)) ?? [];
        if (repository === undefined) continue;
        checkRepositoryName(repository);
        return { handler: verbOf(verbs, request.method), call: { ...call, repository, reference } };
      }
    }
    throw new RegistryProblem('NAME_UNKNOWN', { message: 'page not found' });
  }

  #fail(request: RegistryRequest, response: RegistryResponse, error: unknown): void {
    const problem = problemOf(error);
    const { method, target } = request;
    if (!response.closed)
      this.#options.onAnswer?.({ method, target, status: problem.status, error: problem.cause ?? error });
    if (response.finished) return;
    // The status is out, or nobody is there to read it: only a broken stream can say that this is not the end.
    if (response.started || response.closed) response.abort();
    else
      response.send(
        problem.status,
        { ...problem.headers, 'Content-Type': 'application/json; charset=utf-8' },
        problem.body,
      );
  }
}

function verbOf(verbs: Verbs, method: string): RegistryHandler {
  const handler = Object.hasOwn(verbs, method) ? verbs[method] : undefined;
  if (handler) return handler;
  throw new RegistryProblem('UNSUPPORTED', { headers: { Allow: Object.keys(verbs).join(', ') } });
}

interface Target {
  /** Decoded. */
  path: string;
  search: string;
}

/** Error: `NAME_INVALID` for a path that cannot be decoded. */
function splitTarget(target: string): Target {
  const local = target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const question = local.indexOf('?');
  const raw = question < 0 ? local : local.slice(0, question);
  const search = question < 0 ? '' : local.slice(question + 1);
  try {
    return { path: decodeURIComponent(raw), search };
  } catch (cause) {
    throw new RegistryProblem('NAME_INVALID', { message: 'invalid URL escape', cause });
  }
}

/** `GET /v2/`: the registry speaks version 2, and the caller is known where that is asked for. */
async function base(call: Call): Promise<void> {
  await call.context.guard.requireAny(call.request);
  sendJson(call, {});
}

function ping(call: Call): void {
  sendJson(
    call,
    { standalone: true },
    { 'X-Docker-Registry-Version': '0.9.1', 'X-Docker-Registry-Standalone': 'true' },
  );
}
