/** The image routes. */
import { Readable } from 'node:stream';
import { shapeImageInspect, shapeImageSummary } from '../../../api/compat/image.ts';
import { BerthError } from '../../../api/errors.ts';
import { containerConfig } from '../../../api/schemas/container.ts';
import { manifestPush } from '../../../api/schemas/other.ts';
import type { Filters } from '../../../wire/filters.ts';
import type { Handlers } from '../../handler.ts';
import { withProgress } from '../../reply.ts';
import type { ApiRequest } from '../../request.ts';
import type { ImageBackend } from './backend.ts';

const listFilters = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];
const pruneFilters = ['dangling', 'label', 'label!', 'until'];
const searchFilters = ['is-automated', 'is-official', 'stars'];

export function imageHandlers(backend: ImageBackend): Handlers {
  return {
    ...queryHandlers(backend),
    ...changeHandlers(backend),
    ...transferHandlers(backend),
    ...registryHandlers(backend),
  };
}

function queryHandlers({ queries }: ImageBackend): Handlers {
  return {
    async imageList(request, reply) {
      const images = await queries.list({
        all: request.flag('all'),
        sharedSize: request.version >= 42 && request.flag('shared-size'),
        filters: withLegacyReference(request),
      });
      reply.json(
        200,
        images.map((image) => shapeImageSummary(image, request.version)),
      );
    },
    async imageInspect(request, reply) {
      const platform = request.version >= 49 ? request.platform() : null;
      const image = await queries.inspect(request.parameter('name'), { platform });
      reply.json(200, shapeImageInspect(image, request.version));
    },
    async imageHistory(request, reply) {
      const platform = request.version >= 48 ? request.platform() : null;
      reply.json(200, await queries.history(request.parameter('name'), { platform }));
    },
  };
}

/** Before 1.41 a `filter` parameter was the reference filter. */
function withLegacyReference(request: ApiRequest): Filters {
  const filters = request.filters(listFilters);
  const reference = request.version < 41 ? request.text('filter') : '';
  return reference === '' ? filters : new Map([...filters, ['reference', [reference]]]);
}

function changeHandlers({ changes }: ImageBackend): Handlers {
  return {
    async imageTag(request, reply) {
      await changes.tag(request.parameter('name'), request.text('repo'), request.text('tag'));
      reply.empty(201);
    },
    async imageRemove(request, reply) {
      const name = request.parameter('name');
      if (name.trim() === '') throw new BerthError('invalid', 'image name cannot be blank');
      const options = { force: request.flag('force'), noPrune: request.flag('noprune') };
      reply.json(200, await changes.remove(name, options));
    },
    async imagePrune(request, reply) {
      reply.json(200, await changes.prune(request.filters(pruneFilters)));
    },
    async imageCommit(request, reply) {
      const config = await request.jsonOrNull(containerConfig, 'empty-is-zero');
      const id = await changes.commit({
        container: request.text('container'),
        repository: request.text('repo'),
        tag: request.text('tag'),
        comment: request.text('comment'),
        author: request.text('author'),
        pause: request.flag('pause', true),
        changes: request.query.getAll('changes'),
        config,
      });
      reply.json(201, { Id: id });
    },
  };
}

function transferHandlers({ transfer, bootstrap }: ImageBackend): Handlers {
  return {
    async imageCreate(request, reply) {
      const from = request.text('fromImage');
      const platform = request.version >= 32 ? request.platform() : null;
      const { signal } = request;
      if (from !== '') {
        const options = { reference: joinReference(from, request.text('tag')), platform, auth: request.registryAuth() };
        return withProgress(reply, ({ send }) => transfer.pull(options, send, signal));
      }
      const source = request.text('fromSrc');
      if (source === '') throw new BerthError('invalid', 'either fromImage or fromSrc is required');
      return withProgress(reply, async ({ send }) => {
        const content = source === '-' ? request.http.stream() : await download(source, signal);
        const options = {
          repository: request.text('repo'),
          tag: request.text('tag'),
          message: request.text('message') || `Imported from ${source}`,
          changes: request.query.getAll('changes'),
          platform,
        };
        const id = await transfer.import(content, options, send, signal);
        send({ status: id });
      });
    },
    async imagePush(request, reply) {
      const name = request.parameter('name');
      const platform = request.version >= 46 ? request.platform() : null;
      const options = { reference: joinReference(name, request.text('tag')), platform, auth: request.registryAuth() };
      const { signal } = request;
      return withProgress(reply, ({ send }) => transfer.push(options, send, signal));
    },
    async imageLoad(request, reply) {
      const options = {
        quiet: request.flag('quiet'),
        platform: request.version >= 48 ? request.platform() : null,
      };
      const { signal } = request;
      return withProgress(reply, ({ send }) => transfer.load(request.http.stream(), options, send, signal), {
        always: true,
      });
    },
    imageSave: (request, reply) => save(request, reply.http, [request.parameter('name')]),
    imageSaveMany: (request, reply) => save(request, reply.http, request.query.getAll('names')),
    async berthImageBootstrap(request, reply) {
      const { signal } = request;
      return withProgress(reply, ({ send }) => bootstrap.bootstrap(request.text('name'), send, signal));
    },
  };

  async function save(
    request: ApiRequest,
    response: { start(status: number, headers: Record<string, string>): void; pipe(source: Readable): Promise<void> },
    names: string[],
  ): Promise<void> {
    const platform = request.version >= 48 ? request.platform() : null;
    const content = await transfer.save(names, { platform }, request.signal);
    response.start(200, { 'Content-Type': 'application/x-tar' });
    await response.pipe(content);
  }
}

/** `name` and the `tag` parameter, which may be a digest. */
function joinReference(name: string, tag: string): string {
  // `pull -a` of old clients sends the name with a colon at its end.
  const bare = name.replace(/:$/, '');
  if (tag === '') return bare;
  const slash = bare.lastIndexOf('/');
  const untagged = bare.replace(/@.*$/, '');
  const colon = untagged.indexOf(':', slash + 1);
  const repository = colon < 0 ? untagged : untagged.slice(0, colon);
  if (/^[a-z0-9+._-]+:[0-9a-fA-F]{32,}$/.test(tag)) return `${repository}@${tag}`;
  if (!/^\w[\w.-]{0,127}$/.test(tag)) throw new BerthError('invalid', 'invalid tag format');
  return `${repository}:${tag}`;
}

async function download(source: string, signal: AbortSignal): Promise<Readable> {
  const url = /^https?:\/\//i.test(source) ? source : `http://${source}`;
  const answer = await fetch(url, { signal });
  if (!answer.ok || !answer.body)
    throw new BerthError('internal', `Got HTTP status code >= 400: ${answer.status} ${answer.statusText}`.trim());
  return Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
}

function registryHandlers({ registries, manifests }: ImageBackend): Handlers {
  return {
    async imageSearch(request, reply) {
      const options = {
        limit: request.integer('limit') ?? 25,
        filters: request.filters(searchFilters),
        auth: request.registryAuth(),
      };
      reply.json(200, await registries.search(request.text('term'), options));
    },
    async distributionInspect(request, reply) {
      reply.json(200, await registries.distribution(request.parameter('name'), request.registryAuth()));
    },
    async berthManifestInspect(request, reply) {
      reply.json(200, await manifests.inspect(request.parameter('name'), request.registryAuth()));
    },
    async berthManifestPush(request, reply) {
      const list = await request.json(manifestPush);
      reply.json(200, await manifests.push(request.parameter('name'), list, request.registryAuth()));
    },
  };
}
