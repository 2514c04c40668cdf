import { BerthError } from '../../api/errors.ts';
import type { ContainerWaitResponse } from '../../api/types/container.ts';
import type { WaitCondition } from '../../api/types/container-requests.ts';
import type { ExitNotice } from './container.ts';
import type { ContainerContext } from './context.ts';
import { isRunning } from './states.ts';

/**
 * Subscribes at once; `exit` settles when the condition holds and rejects only when `signal` aborts.
 * Error: `not-found`.
 */
export function waitContainer(
  context: ContainerContext,
  reference: string,
  options: { condition: WaitCondition; signal: AbortSignal },
): { exit: Promise<ContainerWaitResponse> } {
  const container = context.index.find(reference);
  const { condition, signal } = options;
  if (condition === 'not-running' && !isRunning(container.state))
    return { exit: Promise.resolve({ StatusCode: container.record.exitCode }) };
  const { promise, resolve, reject } = Promise.withResolvers<ContainerWaitResponse>();
  const tell = (notice: ExitNotice): void => {
    signal.removeEventListener('abort', abort);
    resolve(
      notice.error === ''
        ? { StatusCode: notice.exitCode }
        : { StatusCode: notice.exitCode, Error: { Message: notice.error } },
    );
  };
  const forget = condition === 'removed' ? container.onceRemoved(tell) : container.onceExited(tell);
  const abort = (): void => {
    forget();
    reject(new BerthError('cancelled', 'the client went away'));
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return { exit: promise };
}
