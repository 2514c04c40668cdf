/** Files of containers: copy out, copy in, export. */
import { BerthError } from '../../../api/errors.ts';
import type { ContainerPathStat } from '../../../api/types/container.ts';
import { stringifyJson } from '../../../wire/json.ts';
import type { Handlers } from '../../handler.ts';
import type { ApiRequest } from '../../request.ts';
import type { ContainerArchive } from './backend.ts';

export function archiveHandlers(archive: ContainerArchive): Handlers {
  return {
    async containerArchiveStat(request, reply) {
      const stat = await archive.stat(request.parameter('id'), pathOf(request));
      reply.http.send(200, statHeader(stat));
    },
    async containerArchiveRead(request, reply) {
      const { stat, content } = await archive.read(request.parameter('id'), pathOf(request));
      reply.http.start(200, { ...statHeader(stat), 'Content-Type': 'application/x-tar' });
      await reply.http.pipe(content);
    },
    async containerArchiveWrite(request, reply) {
      const path = pathOf(request);
      await archive.write(request.parameter('id'), path, request.http.stream(), {
        noOverwriteDirNonDir: request.flag('noOverwriteDirNonDir'),
        copyUidGid: request.flag('copyUIDGID'),
      });
      reply.empty(200);
    },
    async containerExport(request, reply) {
      const content = await archive.export(request.parameter('id'));
      reply.http.start(200, { 'Content-Type': 'application/x-tar' });
      await reply.http.pipe(content);
    },
  };
}

/** Error: `invalid` in dockerd's words (without a blank, indeed). */
function pathOf(request: ApiRequest): string {
  const path = request.text('path');
  if (path === '') throw new BerthError('invalid', 'bad parameter: pathcannot be empty');
  return path;
}

function statHeader(stat: ContainerPathStat): Record<string, string> {
  return { 'X-Docker-Container-Path-Stat': Buffer.from(stringifyJson(stat)).toString('base64') };
}
