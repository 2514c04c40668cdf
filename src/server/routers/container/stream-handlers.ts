/** Attach and logs. */
import { BerthError } from '../../../api/errors.ts';
import { parseDetachKeys } from '../../../wire/detach-keys.ts';
import type { Handlers } from '../../handler.ts';
import { bridge } from '../../http/bridge.ts';
import { unframeOutput } from '../../http/reframe.ts';
import { acceptKey, handshakeKey, websocketStream } from '../../http/websocket.ts';
import type { ApiRequest } from '../../request.ts';
import type { ContainerBackend } from './backend.ts';

const rawStream = 'application/vnd.docker.raw-stream';
const multiplexedStream = 'application/vnd.docker.multiplexed-stream';

/** The type of a stream; before 1.42 there was only one name. */
export function streamType(terminal: boolean, version: number): string {
  return !terminal && version >= 42 ? multiplexedStream : rawStream;
}

/** What the client wants to speak after an upgrade; null: none, it takes the old bare 200. */
export function upgradeProtocol(request: ApiRequest): string | null {
  return request.http.headers.get('upgrade') === undefined ? null : 'tcp';
}

export function streamHandlers({ streams }: ContainerBackend): Handlers {
  return {
    async containerAttach(request, reply) {
      request.http.prepareHijack();
      await request.skipBody();
      const id = request.parameter('id');
      const detachKeys = parseAttachKeys(request.text('detachKeys'));
      const stdin = request.flag('stdin');
      const attached = await streams.attach(id, {
        stdin,
        stdout: request.flag('stdout'),
        stderr: request.flag('stderr'),
        logs: request.flag('logs'),
        stream: request.flag('stream'),
      });
      const upgrade = upgradeProtocol(request);
      const type = upgrade ? streamType(attached.terminal, request.version) : rawStream;
      const client = reply.http.hijack(upgrade, { 'Content-Type': type });
      await bridge(client, attached.stream, {
        stdin,
        detachKeys: attached.terminal ? detachKeys : null,
        onDetach: () => attached.detached(),
        headAt: performance.now(),
      });
    },
    async containerAttachWebsocket(request, reply) {
      request.http.prepareHijack();
      const key = handshakeKey(request.http.headers);
      const detachKeys = parseAttachKeys(request.text('detachKeys'));
      // Before 1.42 all three were meant.
      const wants = (name: string): boolean => request.version < 42 || request.flag(name);
      const stdin = wants('stdin');
      const attached = await streams.attach(request.parameter('id'), {
        stdin,
        stdout: wants('stdout'),
        stderr: wants('stderr'),
        logs: request.flag('logs'),
        stream: request.flag('stream'),
      });
      const socket = reply.http.hijack('websocket', { 'Sec-WebSocket-Accept': acceptKey(key) });
      await bridge(websocketStream(socket, request.version < 28), attached.stream, {
        stdin,
        detachKeys: attached.terminal ? detachKeys : null,
        onDetach: () => attached.detached(),
        headAt: performance.now(),
        reshape: attached.terminal ? null : unframeOutput(),
      });
    },
    async berthLogsClear(request, reply) {
      await streams.clearLogs(request.parameter('id'));
      reply.empty(204);
    },
    async containerLogs(request, reply) {
      const stdout = request.flag('stdout');
      const stderr = request.flag('stderr');
      if (!stdout && !stderr) throw new BerthError('invalid', 'Bad parameters: you must choose at least one stream');
      const { stream, terminal } = await streams.logs(request.parameter('id'), {
        stdout,
        stderr,
        follow: request.flag('follow'),
        since: request.moment('since'),
        until: request.moment('until'),
        tail: tail(request.text('tail')),
        timestamps: request.flag('timestamps'),
        details: request.flag('details'),
        mergeFrames: request.http.headers.get('berth-merge-frames') === '1',
      });
      const leave = (): void => void stream.destroy();
      // A client that only closed its half is gone too, as far as logs are concerned.
      request.signal.addEventListener('abort', leave);
      if (request.signal.aborted) leave();
      reply.http.start(200, { 'Content-Type': streamType(terminal, request.version) });
      await reply.http.pipe(stream);
    },
  };
}

/** Error: `invalid` in dockerd's words. */
export function parseAttachKeys(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (cause) {
    throw new BerthError('invalid', `Invalid detach keys (${text}) provided`, { cause });
  }
}

/** Anything but a number from 0 is all, as dockerd reads it. */
function tail(text: string): number | null {
  return /^\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : null;
}
