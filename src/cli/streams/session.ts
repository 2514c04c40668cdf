/** A terminal, or pipes, joined to a container's streams until one side has enough. */
import type { HijackedStream } from '../../client/client.ts';
import { DetachWatcher } from './detach-keys.ts';
import { copyFrames, copyRaw, type OutputPair } from './frames.ts';

export interface Session {
  stream: HijackedStream;
  /** The container has a terminal: its output is raw bytes. */
  tty: boolean;
  /** What is typed; undefined: nothing is sent. */
  input: AsyncIterable<Uint8Array> | undefined;
  outputs: OutputPair;
  /** Empty: typed keys are not watched. */
  detachKeys: Uint8Array;
}

export type SessionEnd = 'ended' | 'detached';

/** Resolves when the container's output ends, or the detach keys were typed. Errors: the connection's. */
export async function runSession(session: Session): Promise<SessionEnd> {
  const { stream, tty, outputs } = session;
  const output = tty ? copyRaw(stream, outputs.out) : copyFrames(stream, outputs);
  const ends: Promise<SessionEnd>[] = [output.then((): SessionEnd => 'ended')];
  if (session.input) ends.push(sendInput(session));
  try {
    return await Promise.race(ends);
  } finally {
    stream.close();
  }
}

/** Resolves only at the detach keys: the end of the input does not end the session. */
async function sendInput(session: Session): Promise<SessionEnd> {
  const { stream, input, detachKeys } = session;
  const watcher = detachKeys.length > 0 ? new DetachWatcher(detachKeys) : undefined;
  const forever = new Promise<SessionEnd>(() => undefined);
  try {
    for await (const bytes of input ?? []) {
      const { pass, detached } = watcher ? watcher.feed(bytes) : { pass: bytes, detached: false };
      if (pass.length > 0) await stream.write(pass);
      if (detached) return 'detached';
    }
    stream.end();
  } catch {
    // The container has closed its input, or has ended: its output tells how it went.
  }
  return forever;
}
