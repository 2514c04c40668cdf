import { BerthError } from '../../api/errors.ts';
import { parseSignal, sigkill, sigterm } from '../../wire/signals.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { cancelRestart } from './exited.ts';
import { isRunning, notRunning } from './states.ts';

const highestSignal = 64;

/**
 * Sends a signal to the first process; SIGKILL waits for the end.
 * @param signal name or number; empty: SIGKILL
 * Errors: `invalid` for no signal, `conflict` for a container that does not run, both in dockerd's words.
 */
export async function killContainer(context: ContainerContext, reference: string, signal: string): Promise<void> {
  const container = context.index.find(reference);
  const number = signal === '' ? sigkill : signalOf(signal);
  if (!isRunning(container.state)) throw notRunning(container.id);
  const exit = number === sigkill ? container.nextExit() : null;
  await sendSignal(context, container, number);
  if (exit && container.pid !== 0) await exit;
}

function signalOf(text: string): number {
  if (Number(text) > highestSignal)
    throw new BerthError('invalid', `the linux daemon does not support signal ${Number(text)}`);
  return parseSignal(text);
}

/** Marks the container as stopped by hand and signals it. A restart that is due does not happen. */
export async function sendSignal(context: ContainerContext, container: Container, signal: number): Promise<void> {
  const ends = signal === sigkill || signal === stopSignalOf(container);
  if (ends) container.endings++;
  if (ends) markStopped(context, container);
  if (container.state === 'restarting' && (await cancelRestart(context, container))) return;
  context.publish(container, 'kill', { signal: String(signal) });
  await context.dependencies.supervisor.signal(container.id, null, signal);
  // A frozen process takes its signal when it wakes.
  if (ends && container.state === 'paused') await context.thaw(container);
}

/** Whatever signal is used, a stop is a stop: no restart policy may undo it. The end of the machine is nobody's wish. */
export function markStopped(context: ContainerContext, container: Container): void {
  if (container.record.stoppedByUser || context.closing) return;
  container.record.stoppedByUser = true;
  context.index.save(container);
}

/** The signal that asks the container to end. */
export function stopSignalOf(container: Container): number {
  const { StopSignal } = container.record.config;
  return StopSignal ? parseSignal(StopSignal) : sigterm;
}
