/** The API server: connections in, backends behind. */
import type { Socket } from 'node:net';
import { BerthError } from '../api/errors.ts';
import type { RouteName } from '../api/routes.ts';
import { judgeVersion, newestVersion, splitVersion, versionText } from '../api/versions.ts';
import { stringifyJson } from '../wire/json.ts';
import type { Handlers } from './handler.ts';
import { HttpConnection, type HttpRequest } from './http/connection.ts';
import { type Listener, listen, type ServerTls } from './http/listen.ts';
import type { HttpResponse } from './http/response.ts';
import { statusOf } from './http/status.ts';
import { Reply } from './reply.ts';
import { ApiRequest } from './request.ts';
import { cleanPath, matchRoute, splitTarget } from './router.ts';
import type { BuildBackend } from './routers/build/backend.ts';
import { buildHandlers } from './routers/build/handlers.ts';
import type { ContainerBackend } from './routers/container/backend.ts';
import { containerHandlers } from './routers/container/handlers.ts';
import type { ExecBackend } from './routers/exec/backend.ts';
import { execHandlers } from './routers/exec/handlers.ts';
import type { ImageBackend } from './routers/image/backend.ts';
import { imageHandlers } from './routers/image/handlers.ts';
import type { NetworkBackend } from './routers/network/backend.ts';
import { networkHandlers } from './routers/network/handlers.ts';
import { pluginHandlers } from './routers/plugin/handlers.ts';
import type { EventsBackend, SystemBackend } from './routers/system/backend.ts';
import { systemHandlers } from './routers/system/handlers.ts';
import type { VolumeBackend } from './routers/volume/backend.ts';
import { volumeHandlers } from './routers/volume/handlers.ts';

export interface Backends {
  containers: ContainerBackend;
  exec: ExecBackend;
  images: ImageBackend;
  builds: BuildBackend;
  networks: NetworkBackend;
  volumes: VolumeBackend;
  system: SystemBackend;
  events: EventsBackend;
}

export interface ServerOptions {
  backends: Backends;
  /** Docker-compatible version for the `Server` header, for example `28.5.2`. */
  engineVersion: string;
  /** `Builder-Version` of ping: `2` where BuildKit's session is served, else `1`. */
  builderVersion?: '1' | '2';
  /** The host has cgroup v2 only; clients before 1.41 otherwise get the host's cgroup namespace. */
  cgroup2?: boolean;
  /** Told about every request that was answered well, with the seconds it took. */
  onAnswered?: ((route: RouteName, seconds: number) => void) | undefined;
  /** Told about every failed request; `status` is what the client got. */
  onFailure?(failure: { method: string; target: string; status: number; error: unknown }): void;
}

export interface ApiServer {
  /** @param host `unix:///path`, `tcp://host:port` or `fd://n`; @param group who may use a unix socket; @param tls for TCP. See `http/listen.ts`. */
  listen(host: string, group: string, tls?: ServerTls | null): Promise<Listener>;
  /** Serves a connection that somebody else accepted. */
  serve(connection: Socket): void;
  /** Stops listening, lets requests under way end for a while, then cuts connections. @param grace milliseconds */
  close(grace: number): Promise<void>;
}

export function createServer(options: ServerOptions): ApiServer {
  const { backends } = options;
  const handlers: Handlers = {
    ...systemHandlers(backends.system, backends.events, { builderVersion: options.builderVersion ?? '1' }),
    ...containerHandlers(backends.containers, { cgroup2: options.cgroup2 ?? false }),
    ...execHandlers(backends.exec),
    ...imageHandlers(backends.images),
    ...buildHandlers(backends.builds),
    ...networkHandlers(backends.networks),
    ...volumeHandlers(backends.volumes),
    ...pluginHandlers(),
  };
  const dispatcher = new Dispatcher(handlers, options);
  const connections = new Map<HttpConnection, Socket>();
  const listeners: Listener[] = [];

  const serve = (socket: Socket): void => {
    const connection = new HttpConnection(socket, dispatcher.handle);
    connections.set(connection, socket);
    socket.once('close', () => connections.delete(connection));
  };

  return {
    serve,
    async listen(host, group, tls = null) {
      const listener = await listen({ host, group, tls, onConnection: serve });
      listeners.push(listener);
      return listener;
    },
    async close(grace) {
      const stopped = Promise.all(listeners.map((listener) => listener.close()));
      for (const connection of connections.keys()) connection.closeWhenDone();
      const timer = setTimeout(() => {
        for (const socket of connections.values()) socket.destroy();
      }, grace);
      await stopped;
      clearTimeout(timer);
    },
  };
}

/** From a request's head to its handler, and from what a handler throws to an answer. */
class Dispatcher {
  readonly #handlers: Handlers;
  readonly #options: ServerOptions;
  readonly #server: string;

  constructor(handlers: Handlers, options: ServerOptions) {
    this.#handlers = handlers;
    this.#options = options;
    this.#server = `Docker/${options.engineVersion} (linux)`;
  }

  readonly handle = (http: HttpRequest, response: HttpResponse): void => {
    try {
      const answered = this.#route(http, response);
      if (answered) answered.catch((error: unknown) => this.#fail(http, response, error));
    } catch (error) {
      this.#fail(http, response, error);
    }
  };

  #route(http: HttpRequest, response: HttpResponse): void | Promise<void> {
    const { path, search } = splitTarget(http.target);
    const clean = cleanPath(path);
    if (clean !== path) {
      response.send(301, { Location: search ? `${clean}?${search}` : clean });
      return;
    }
    refuseOtherSites(http);
    if (http.method === 'OPTIONS') {
      this.#setHeaders(response);
      response.send(200, {});
      return;
    }
    const { version, rest } = splitVersion(path);
    const match = matchRoute(http.method, rest);
    if (!match) throw new BerthError('not-found', 'page not found');
    this.#setHeaders(response);
    let minor = newestVersion;
    if (version !== null) {
      const verdict = judgeVersion(version);
      if (!verdict.fits) {
        if (!verdict.tooOld) throw new BerthError('invalid', verdict.message);
        response.send(
          400,
          { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' },
          `${verdict.message}\n`,
        );
        return;
      }
      minor = verdict.minor;
    }
    if (match.route.refused) throw new BerthError(match.route.refused.kind, match.route.refused.message);
    const handler = this.#handlers[match.name];
    if (!handler) throw new BerthError('not-implemented', `${http.method} ${rest} is not supported by this engine`);
    const request = new ApiRequest(http, { version: minor, search, parameters: match.parameters });
    const answered = handler(request, new Reply(response));
    const { onAnswered } = this.#options;
    if (!onAnswered) return answered;
    const begun = performance.now();
    return Promise.resolve(answered).then(() => onAnswered(match.name, (performance.now() - begun) / 1000));
  }

  #setHeaders(response: HttpResponse): void {
    const { headers } = response;
    headers['Api-Version'] = versionText(newestVersion);
    headers['Docker-Experimental'] = 'false';
    headers['Ostype'] = 'linux';
    headers['Server'] = this.#server;
  }

  #fail(http: HttpRequest, response: HttpResponse, error: unknown): void {
    // Whoever left is told nothing, and that somebody left is no failure.
    if (response.closed) {
      response.abort();
      return;
    }
    const { status, message } = statusOf(error);
    if (!http.signal.aborted) this.#options.onFailure?.({ method: http.method, target: http.target, status, error });
    if (response.finished) return;
    if (response.started) {
      // The status is out: only a broken stream can say that this is not the end.
      response.abort();
      return;
    }
    if (status === 304) response.send(304, {});
    else response.send(status, { 'Content-Type': 'application/json' }, `${stringifyJson({ message })}\n`);
  }
}

/** A browser says on whose behalf it asks; no page of another site may drive the engine of its reader. Error: `forbidden`. */
function refuseOtherSites({ headers }: HttpRequest): void {
  const origin = headers.get('origin');
  if (origin !== undefined && origin.replace(/^[a-z]+:\/\//i, '') !== headers.get('host'))
    throw new BerthError('forbidden', `requests from pages of ${origin} are refused`);
}
