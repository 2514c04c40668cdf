import { BerthError } from '../../api/errors.ts';
import type { BuildQuestion } from '../../wire/build-frames.ts';
import type { ClientFolders } from '../remote-cache/client-folders.ts';
import type { BuildChannels } from './channels.ts';

/** Folders of the client at the other end of a build's connection. */
export function channelFolders(channels: BuildChannels): ClientFolders {
  return {
    read: (cache, digest) => channels.ask({ kind: 'cache-read', cache, digest }).read(),
    async has(cache, digest) {
      try {
        await answered(channels, { kind: 'cache-has', cache, digest });
        return true;
      } catch (error) {
        if (error instanceof BerthError && error.kind === 'not-found') return false;
        throw error;
      }
    },
    async write(cache, digest, bytes) {
      const answer = channels.ask({ kind: 'cache-write', cache, digest });
      for await (const piece of bytes) await answer.write(piece);
      await answer.end();
      // The client says when it has everything.
      for await (const _ of answer.read());
    },
    name: (cache, manifest) => answered(channels, { kind: 'cache-name', cache, manifest }),
  };
}

/** Resolves when the client has done what it was asked for. */
async function answered(channels: BuildChannels, question: BuildQuestion): Promise<void> {
  for await (const _ of channels.ask(question).read());
}
