/** The build routes: https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Image/operation/ImageBuild */
import { BerthError, errorKind, errorMessage } from '../../../api/errors.ts';
import type { BuildOptions } from '../../../api/types/build.ts';
import type { AuthConfig } from '../../../api/types/image.ts';
import { explainSyntax } from '../../../wire/json-syntax.ts';
import type { Handlers } from '../../handler.ts';
import { ProgressStream } from '../../reply.ts';
import type { ApiRequest } from '../../request.ts';
import { upgradeProtocol } from '../container/stream-handlers.ts';
import type { BuildBackend, ClassicBuildRequest } from './backend.ts';
import { ClassicStream } from './classic-stream.ts';

const pruneFilters = [
  'until',
  'id',
  'parent',
  'type',
  'description',
  'inuse',
  'shared',
  'private',
  'unused-for',
  'label',
  'label!',
];
const shortLength = 12;

export function buildHandlers(backend: BuildBackend): Handlers {
  return {
    async build(request, reply) {
      const classic = readRequest(request);
      const quiet = request.flag('q');
      const progress = new ProgressStream(reply.http);
      const stream = new ClassicStream(quiet ? () => undefined : progress.send);
      try {
        const { imageId } = await backend.build(classic, request.http.stream(), {
          event: stream.take,
          signal: request.signal,
        });
        stream.finish(imageId);
        tellResult(progress, { imageId, quiet, tags: classic.options.tags, warnings: stream.warnings });
        await progress.end();
      } catch (error) {
        // What a step needs and cannot have is told where steps are told.
        if (!reply.http.started && !isOfStep(error)) throw error;
        progress.send({ errorDetail: detailOf(error), error: errorMessage(error) });
        await progress.end();
      }
    },
    async berthBuild(request, reply) {
      request.http.prepareHijack();
      const upgrade = upgradeProtocol(request);
      if (!upgrade) throw new BerthError('invalid', 'this route wants an upgrade of the connection');
      await request.skipBody();
      await backend.session(reply.http.hijack(upgrade, { 'Content-Type': 'application/vnd.berth.build' }));
    },
    async buildPrune(request, reply) {
      const options = {
        all: request.flag('all'),
        keepBytes: request.integer('keep-storage') ?? request.integer('reserved-space') ?? 0,
        filters: request.filters(pruneFilters),
      };
      reply.json(200, await backend.prune(options));
    },
  };
}

/** Not what is wrong with the request or the Dockerfile, but what one of its lines met. */
function isOfStep(error: unknown): boolean {
  const { excerpt } = error as { excerpt?: unknown };
  return typeof excerpt === 'string' && excerpt !== '' && errorKind(error) !== 'invalid';
}

function tellResult(
  progress: ProgressStream,
  what: { imageId: string; quiet: boolean; tags: string[]; warnings: readonly string[] },
): void {
  if (what.quiet) {
    progress.send({ stream: `${what.imageId}\n` });
    return;
  }
  progress.send({ aux: { ID: what.imageId } });
  for (const warning of what.warnings) progress.send({ stream: `${warning}\n` });
  progress.send({ stream: `Successfully built ${what.imageId.slice('sha256:'.length).slice(0, shortLength)}\n` });
  for (const tag of what.tags) progress.send({ stream: `Successfully tagged ${withTag(tag)}\n` });
}

function withTag(name: string): string {
  return name.includes(':', name.lastIndexOf('/') + 1) ? name : `${name}:latest`;
}

function detailOf(error: unknown): { message: string; code?: number } {
  const code = (error as { exitCode?: unknown }).exitCode;
  return { ...(typeof code === 'number' && { code }), message: errorMessage(error) };
}

/** Docker's parameters; what has no meaning here (`rm`, `squash`, `isolation`) is read over. */
function readRequest(request: ApiRequest): ClassicBuildRequest {
  if (request.text('version') === '2')
    throw new BerthError(
      'invalid',
      "BuildKit's protocol is not served here: build with DOCKER_BUILDKIT=0 or `berth build`",
    );
  if (request.flag('squash')) throw new BerthError('invalid', 'squash is not supported by this builder');
  const options: BuildOptions = {
    tags: request.query.getAll('t').filter((tag) => tag !== ''),
    dockerfile: request.text('dockerfile'),
    target: request.text('target'),
    buildArguments: arguments_(request),
    labels: strings(request, 'labels'),
    noCache: request.flag('nocache'),
    noCacheFilter: [],
    pull: request.flag('pull'),
    platform: request.text('platform'),
    network: request.text('networkmode'),
    extraHosts: request.query.getAll('extrahosts').filter((host) => host !== ''),
    limits: limits(request),
    namedContexts: {},
    allow: [],
    explain: false,
  };
  return { options, cacheFrom: cacheFrom(request), remote: request.text('remote'), auths: registryConfig(request) };
}

/** Images whose steps alone may be taken from the cache. */
function cacheFrom(request: ApiRequest): string[] {
  return Object.keys(object(request, 'cachefrom', 'cache-from'));
}

/** A value of null means: declared, and left as it is. */
function arguments_(request: ApiRequest): Record<string, string> {
  const given = object(request, 'buildargs', 'build args');
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  );
}

function strings(request: ApiRequest, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(object(request, name)).map(([key, value]) => [key, String(value ?? '')]));
}

/** A JSON map, or a list of `key=value` as some clients send it. @param called what dockerd calls it in errors */
function object(request: ApiRequest, name: string, called = name): Record<string, unknown> {
  const text = request.text(name);
  if (text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new BerthError('invalid', `error reading ${called}: ${explainSyntax(text).problem}`, { cause });
  }
  if (Array.isArray(value))
    return Object.fromEntries(
      value.map((item) => {
        const entry = String(item);
        const separator = entry.indexOf('=');
        return separator < 0 ? [entry, null] : [entry.slice(0, separator), entry.slice(separator + 1)];
      }),
    );
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What is unset is left out, however a client says so: a step without limits is one and the same for all of them. */
function limits(request: ApiRequest): Record<string, unknown> {
  const numbers: Record<string, number | null> = {
    Memory: request.integer('memory'),
    MemorySwap: request.integer('memswap'),
    CpuShares: request.integer('cpushares'),
    CpuPeriod: request.integer('cpuperiod'),
    CpuQuota: request.integer('cpuquota'),
    ShmSize: request.integer('shmsize'),
  };
  const texts = {
    CpusetCpus: request.text('cpusetcpus'),
    CpusetMems: request.text('cpusetmems'),
    CgroupParent: request.text('cgroupparent'),
  };
  const ulimits = readUlimits(request.text('ulimits'));
  return {
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== null && value !== 0)),
    ...Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== '')),
    ...(ulimits.length > 0 && { Ulimits: ulimits }),
  };
}

function readUlimits(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text || 'null');
    if (value === null) return [];
    if (Array.isArray(value)) return value;
  } catch {
    // falls through to the same answer
  }
  throw new BerthError('invalid', 'error reading ulimit settings');
}

/** `X-Registry-Config`: credentials by registry; what cannot be read counts as none, as with dockerd. */
function registryConfig(request: ApiRequest): Record<string, AuthConfig> {
  const header = request.http.headers.get('x-registry-config');
  if (!header) return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, AuthConfig>) : {};
  } catch {
    return {}; // the registry says so where it wants more
  }
}
