import { BerthError } from '../../api/errors.ts';
import type { ContainerStopOptions } from '../../api/types/container-requests.ts';
import { parseSignal, sigkill } from '../../wire/signals.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { markStopped, sendSignal, stopSignalOf } from './kill.ts';
import { startContainer } from './start.ts';
import { isRunning } from './states.ts';

const defaultTimeout = 10;

/** Resolves when the process has ended. Errors: `not-modified` when there is none, `invalid` for no signal. */
export async function stopContainer(
  context: ContainerContext,
  reference: string,
  options: ContainerStopOptions,
): Promise<void> {
  const container = context.index.find(reference);
  if (!isRunning(container.state)) throw new BerthError('not-modified', `Container ${container.id} is already stopped`);
  try {
    await endProcess(context, container, options);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    throw new BerthError(error.kind, `cannot stop container: ${reference}: ${error.message}`, { cause: error });
  }
  context.publish(container, 'stop');
}

/**
 * The machine goes down: ends all processes as `stop` does, each with its own signal and time, and leaves to the restart policies which
 * of them the next start of the engine brings back. Nothing is started from here on.
 */
export async function haltContainers(context: ContainerContext): Promise<void> {
  context.closing = true;
  const running = [...context.index.all()].filter((container) => isRunning(container.state));
  const end = async (container: Container): Promise<void> => {
    try {
      await endProcess(context, container, { signal: '', timeout: null });
    } catch (error) {
      context.dependencies.report(`stop ${container.id}`, error);
    }
  };
  await Promise.all(running.map(end));
}

/** Ends the process where there is one, and starts the container. Errors: those of the start. */
export async function restartContainer(
  context: ContainerContext,
  reference: string,
  options: ContainerStopOptions,
): Promise<void> {
  const container = context.index.find(reference);
  container.restarts++;
  try {
    if (isRunning(container.state)) {
      await endProcess(context, container, options);
      context.publish(container, 'stop');
    }
    await startContainer(context, container.id);
  } catch (error) {
    if (error instanceof BerthError && error.kind !== 'not-modified')
      throw new BerthError(error.kind, `Cannot restart container ${reference}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    container.restarts--;
  }
  context.publish(container, 'restart');
}

async function endProcess(
  context: ContainerContext,
  container: Container,
  options: ContainerStopOptions,
): Promise<void> {
  const signal = options.signal === '' ? stopSignalOf(container) : parseSignal(options.signal);
  const timeout = options.timeout ?? container.record.config.StopTimeout ?? defaultTimeout;
  const exit = container.nextExit();
  await context.thaw(container);
  markStopped(context, container);
  await signalLiving(context, container, signal);
  if (container.pid === 0 || (await endsWithin(exit, timeout))) return;
  await signalLiving(context, container, sigkill);
  if (container.pid !== 0) await exit;
}

async function signalLiving(context: ContainerContext, container: Container, signal: number): Promise<void> {
  try {
    await sendSignal(context, container, signal);
  } catch (error) {
    // The process may be gone while its exit is still on the way; only a failure to signal a living one counts.
    if (container.pid !== 0 && !(error instanceof BerthError && error.kind === 'not-found')) throw error;
  }
}

/** A timer takes no more seconds than this, some 24 days; who waits longer waits for ever. */
const longestTimer = 2_147_483;

/** @param timeout seconds; negative: for ever */
async function endsWithin(exit: Promise<unknown>, timeout: number): Promise<boolean> {
  if (timeout < 0 || timeout > longestTimer) return exit.then(() => true);
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), timeout * 1000);
  try {
    return await Promise.race([exit.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
