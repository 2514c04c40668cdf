import type { Duplex, Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { AttachOptions } from '../../api/types/container-requests.ts';
import { DeferredDuplex } from '../../base/deferred-duplex.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';

export interface AttachedStreams {
  stream: Duplex;
  terminal: boolean;
  detached(): void;
}

/** Gives the past output of a container as frames (raw for a terminal); src/engine/logs. */
export type PastOutput = (container: Container, streams: { stdout: boolean; stderr: boolean }) => Promise<Readable>;

/**
 * Streams of a container; one that does not run yet is waited for. Errors: `conflict` in dockerd's words for a paused or
 * restarting one.
 */
export async function attachContainer(
  context: ContainerContext,
  reference: string,
  options: AttachOptions & { past: PastOutput },
): Promise<AttachedStreams> {
  const container = context.index.find(reference);
  if (container.state === 'paused')
    throw new BerthError('conflict', `container ${reference} is paused, unpause the container before attach`);
  if (container.state === 'restarting')
    throw new BerthError('conflict', `container ${reference} is restarting, wait until the container is running`);
  const live = options.stream ? await liveStream(context, container, options) : null;
  const stream = options.logs ? await withPast(container, options, live) : (live ?? emptyStream());
  context.publish(container, 'attach');
  return {
    stream,
    terminal: container.record.config.Tty,
    detached: () => context.publish(container, 'detach'),
  };
}

async function liveStream(context: ContainerContext, container: Container, options: AttachOptions): Promise<Duplex> {
  const request = {
    stdin: options.stdin && container.record.config.OpenStdin,
    stdout: options.stdout,
    stderr: options.stderr,
  };
  if (container.pid !== 0) return context.dependencies.supervisor.attach(container.id, request);
  const stream = new DeferredDuplex();
  const pending = { request, connect: (target: Duplex | null) => stream.connect(target) };
  container.pending.push(pending);
  stream.once('close', () => {
    const index = container.pending.indexOf(pending);
    // One that left before the start must not be waited for by the shim.
    if (index >= 0) container.pending.splice(index, 1);
  });
  return stream;
}

/** The log first, then what comes live. */
async function withPast(
  container: Container,
  options: AttachOptions & { past: PastOutput },
  live: Duplex | null,
): Promise<Duplex> {
  const past = await options.past(container, { stdout: options.stdout, stderr: options.stderr });
  const stream = new DeferredDuplex();
  stream.play(past, () => stream.connect(live));
  stream.once('close', () => live?.destroy());
  return stream;
}

function emptyStream(): Duplex {
  const stream = new DeferredDuplex();
  stream.connect(null);
  return stream;
}
