/** The exec routes. */
import { BerthError, errorMessage } from '../../../api/errors.ts';
import { execCreateRequest, execStartRequest } from '../../../api/schemas/exec.ts';
import { encodeFrame } from '../../../wire/stdcopy.ts';
import type { Handlers } from '../../handler.ts';
import { afterQuiet, bridge } from '../../http/bridge.ts';
import { lingeringClose } from '../../http/lingering-close.ts';
import { frameOutput, unframeOutput } from '../../http/reframe.ts';
import { parseAttachKeys, streamType, upgradeProtocol } from '../container/stream-handlers.ts';
import type { ExecBackend } from './backend.ts';

const rawStream = 'application/vnd.docker.raw-stream';

export function execHandlers(backend: ExecBackend): Handlers {
  return {
    async execCreate(request, reply) {
      const body = await request.json(execCreateRequest);
      if (!body.Cmd || body.Cmd.length === 0) throw new BerthError('invalid', 'No exec command specified');
      checkEscapeKeys(body.DetachKeys);
      if (request.version < 42) body.ConsoleSize = null;
      reply.json(201, await backend.create(request.parameter('id'), body));
    },
    async execInspect(request, reply) {
      reply.json(200, await backend.inspect(request.parameter('id')));
    },
    async execResize(request, reply) {
      const size = request.size();
      await backend.resize(request.parameter('id'), size);
      reply.empty(200);
    },
    async execStart(request, reply) {
      request.http.prepareHijack();
      const id = request.parameter('id');
      const body = await request.json(execStartRequest);
      await backend.check(id);
      if (request.version < 42 || !body.Tty) body.ConsoleSize = null;
      const options = {
        detach: body.Detach,
        terminal: body.Tty,
        size: body.ConsoleSize ? { rows: body.ConsoleSize[0], columns: body.ConsoleSize[1] } : null,
      };
      if (body.Detach) {
        await backend.start(id, options);
        reply.empty(200);
        return;
      }
      const { DetachKeys: keys, OpenStdin: stdin } = await backend.inspect(id);
      const upgrade = upgradeProtocol(request);
      const client = reply.http.hijack(upgrade, {
        'Content-Type': upgrade ? streamType(body.Tty, request.version) : rawStream,
      });
      const headAt = performance.now();
      try {
        const attached = await backend.start(id, options);
        if (!attached) {
          lingeringClose(client);
          return;
        }
        await bridge(client, attached.stream, {
          stdin,
          detachKeys: body.Tty ? parseAttachKeys(keys) : null,
          onDetach: () => attached.detached(),
          headAt,
          // The form is that of the start request, whatever the exec was made with.
          reshape: attached.terminal === body.Tty ? null : body.Tty ? unframeOutput() : frameOutput(),
        });
      } catch (error) {
        // The status is out: the message is the only output of this process.
        const text = Buffer.from(`${errorMessage(error)}\r\n`);
        await afterQuiet(headAt);
        client.write(body.Tty ? text : encodeFrame(1, text));
        lingeringClose(client);
      }
    },
  };
}

/** Error: `invalid` in dockerd's words, which are other ones than attach's. */
function checkEscapeKeys(keys: string): void {
  try {
    parseAttachKeys(keys);
  } catch (cause) {
    throw new BerthError('invalid', `Invalid escape keys (${keys}) provided`, { cause });
  }
}
