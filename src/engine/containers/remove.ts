import { BerthError, errorKind, errorMessage } from '../../api/errors.ts';
import type { ContainerRemoveOptions } from '../../api/types/container-requests.ts';
import { failpoint } from '../../base/failpoint.ts';
import { sigkill } from '../../wire/signals.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { removeLink } from './links.ts';
import { isRunning } from './states.ts';

/** Milliseconds that a start which was under way may take before it is ended. */
const patience = 5000;

/**
 * Resolves when the container is gone and its name is free; what it had on the disk is deleted afterwards.
 * Errors: `not-found`; `conflict` for a running one without force, and while it is being removed already.
 */
export async function removeContainer(
  context: ContainerContext,
  reference: string,
  options: ContainerRemoveOptions,
): Promise<void> {
  if (options.removeLink) {
    removeLink(context, reference);
    return;
  }
  const container = context.index.find(reference);
  const refused = options.force ? null : refusalOf(container);
  if (refused)
    throw new BerthError(
      'conflict',
      `cannot remove container "${reference.replace(/^\//, '')}": container is ${refused}`,
    );
  if (container.state === 'removing')
    throw new BerthError('conflict', `removal of container ${reference} is already in progress`);
  if (container.restart.timer) clearTimeout(container.restart.timer);
  container.restart = { timer: null, delay: 0 };
  container.move('remove', reference);
  if (options.removeVolumes) container.record.leavesWithVolumes = true;
  // A crash from here on is finished by the next start of the engine. On a full disk a removal is what makes room: it goes on.
  context.saveFact(container);
  await finishRemoval(context, container);
}

/**
 * Ends the process of a container in state `removing`, where there is one, and removes it.
 * Error: what keeps it alive or on the disk; the container is `dead` then and can be removed again.
 */
export async function finishRemoval(context: ContainerContext, container: Container): Promise<void> {
  try {
    await failpoint('remove.after-mark');
    if (container.pid !== 0) await killForRemoval(context, container);
    await container.upload?.stop();
    await failpoint('remove.after-kill');
  } catch (error) {
    if (container.state === 'removing') container.move('fail-remove');
    context.saveFact(container);
    throw new BerthError(
      'internal',
      `cannot remove container "${container.record.name}": could not kill container: ${errorMessage(error)}`,
      { cause: error },
    );
  }
  // A runtime that hangs would hold it for ever.
  const hurry = setTimeout(
    () => context.background('abandon a start', context.dependencies.supervisor.abandon(container.id)),
    patience,
  );
  await context.mutex.run(container.id, () => {
    clearTimeout(hurry);
    return removeNow(context, container);
  });
}

function refusalOf(container: Container): string | null {
  if (!isRunning(container.state)) return null;
  if (container.state === 'paused') return 'paused and must be unpaused first';
  if (container.state === 'restarting') return 'restarting: stop the container before removing or force remove';
  return 'running: stop the container before removing or force remove';
}

async function killForRemoval(context: ContainerContext, container: Container): Promise<void> {
  const exit = container.nextExit();
  container.record.stoppedByUser = true;
  container.endings++;
  context.publish(container, 'kill', { signal: String(sigkill) });
  await context.thaw(container);
  try {
    await context.dependencies.supervisor.signal(container.id, null, sigkill);
  } catch (error) {
    // It may have ended by itself a moment ago, then its exit is on the way. Anything else leaves the process alive.
    if (container.pid !== 0 && errorKind(error) !== 'not-found') throw error;
  }
  if (container.pid !== 0) await exit;
}

/**
 * The removal itself, for a container in state `removing` without a process; the caller holds its mutex.
 * Error: the disk's; the container is `dead` then and can be removed again.
 */
export async function removeNow(context: ContainerContext, container: Container): Promise<void> {
  const { files, volumes } = context.dependencies;
  const doomed = volumesToRemove(context, container);
  try {
    if (container.cleaning) await container.cleaning;
    // What could not be made is not in the way of a removal.
    if (container.prepared) await container.prepared.catch(() => {});
    // One that began a moment before the mark.
    await container.upload?.stop();
    await failpoint('run.before-remove');
    await files.discard(container.id);
    await failpoint('run.after-discard');
    context.index.remove(container, () => volumes.condemn(doomed));
    await failpoint('run.after-remove');
  } catch (error) {
    container.move('fail-remove');
    container.record.error = errorMessage(error);
    context.saveFact(container);
    container.tellRemoval({ exitCode: container.record.exitCode, error: container.record.error });
    throw new BerthError('internal', `cannot remove container "${container.record.name}": ${errorMessage(error)}`, {
      cause: error,
    });
  }
  for (const name of doomed) context.background(`volume ${name}`, volumes.bury(name));
  context.ended(container);
  container.dismissPending();
  context.publish(container, 'destroy');
  const notice = { exitCode: container.record.exitCode, error: '' };
  container.tellExit(notice);
  container.tellRemoval(notice);
}

/** The anonymous volumes that go with the container; what another one mounts too stays. */
function volumesToRemove(context: ContainerContext, container: Container): string[] {
  const { mounts, hostConfig, leavesWithVolumes } = container.record;
  if (!hostConfig.AutoRemove && !leavesWithVolumes) return [];
  const own = mounts.filter((mount) => mount.anonymous).map(({ name }) => name);
  if (own.length === 0) return own;
  const others = [...context.index.all()].filter((other) => other !== container);
  return own.filter((name) => !others.some(({ record }) => record.mounts.some((mount) => mount.name === name)));
}
