import { failpoint } from '../../base/failpoint.ts';
import type { ExitStatus } from '../../supervisor/types.ts';
import { healthUnwatched } from '../health/health-state.ts';
import { timestampOf } from './clock.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { publishNetworks } from './network-events.ts';
import { leaveSandbox } from './record.ts';
import { removeNow } from './remove.ts';
import { restartDelay, shouldRestart } from './restart-policy.ts';
import { reviveContainer } from './start.ts';
import { isAlive } from './states.ts';
import { publishVolumes } from './volume-events.ts';

/** What the supervisor saw end. First the books and the waiting clients, then the clean-up. */
export function containerExited(context: ContainerContext, id: string, status: ExitStatus): void {
  const container = context.index.byId(id);
  if (!container) {
    context.onStranger(id, status);
    return;
  }
  // A container may end before its start has been entered; the start's mutex puts the two in order.
  context.background(
    `exit of ${id}`,
    context.mutex.run(id, () => handleExit(context, container, status)),
  );
}

/** The kernel killed a process of the container for want of memory. */
export function containerOutOfMemory(context: ContainerContext, id: string): void {
  const container = context.index.byId(id);
  if (!container) return;
  container.record.oomKilled = true;
  context.publish(container, 'oom');
}

async function handleExit(context: ContainerContext, container: Container, status: ExitStatus): Promise<void> {
  const { record } = container;
  if (container.pid === 0) return;
  await failpoint('run.before-exit');
  const ranFor = Math.max(0, status.exitedAt.getTime() - Date.parse(record.startedAt));
  const policy = record.hostConfig.RestartPolicy;
  const restart =
    !context.closing &&
    isAlive(record.state) &&
    shouldRestart({
      policy,
      exitCode: status.code,
      stoppedByUser: record.stoppedByUser,
      restartCount: record.restartCount,
    });
  container.move(restart ? 'await-restart' : 'exit');
  if (restart) record.restartCount++;
  container.pid = 0;
  record.exitCode = status.code;
  record.oomKilled ||= status.oomKilled;
  record.finishedAt = timestampOf(status.exitedAt);
  record.health = healthUnwatched(record.health);
  const leaving = record.hostConfig.AutoRemove && record.state === 'exited' && container.restarts === 0;
  publishNetworks(context, container, 'disconnect');
  publishVolumes(context, container, 'unmount');
  leaveSandbox(record);
  // The row of a container that is about to go is deleted once instead of written and deleted.
  if (!leaving) context.saveFact(container);
  await failpoint('run.after-exit');
  context.ended(container);
  context.publish(container, 'die', {
    exitCode: String(status.code),
    execDuration: String(Math.floor(ranFor / 1000)),
  });
  container.tellExit({ exitCode: status.code, error: '' });
  // After everybody knows; a start waits for the mutex, then for this.
  container.cleaning = cleanUp(context, container, leaving);
  if (restart) {
    scheduleRestart(context, container, ranFor);
  } else if (leaving) {
    container.move('remove');
    await removeNow(context, container);
  }
}

/**
 * Gives back what the run held. Resolves when a new start may follow; of a container that goes anyway only the network, whose
 * ports somebody may wait for, and the rest is done in the background.
 */
function cleanUp(context: ContainerContext, container: Container, leaving: boolean): Promise<void> {
  const { networks, supervisor, paths, report } = context.dependencies;
  const released = networks.release(container.id).catch((error: unknown) => report('release the network', error));
  const cleaned = supervisor
    .cleanUp(container.id, paths.container(container.id).bundle)
    .catch((error: unknown) => report('clean up after the runtime', error));
  if (leaving) {
    context.background('clean up', cleaned);
    return released;
  }
  return Promise.all([released, cleaned]).then(() => {});
}

function scheduleRestart(context: ContainerContext, container: Container, ranFor: number): void {
  const delay = restartDelay(container.restart.delay, ranFor);
  container.restart = {
    delay,
    timer: setTimeout(() => {
      container.restart.timer = null;
      context.background(`restart of ${container.id}`, restartNow(context, container));
    }, delay),
  };
}

function restartNow(context: ContainerContext, container: Container): Promise<void> {
  return context.mutex.run(container.id, async () => {
    if (container.state !== 'restarting' || context.closing) return;
    await reviveContainer(context, container);
  });
}

/**
 * Ends the wait for a restart: the container counts as stopped. The caller found it `restarting`.
 * Gives false where the restart has just happened.
 */
export function cancelRestart(context: ContainerContext, container: Container): Promise<boolean> {
  return context.mutex.run(container.id, () => {
    if (container.state !== 'restarting') return false;
    if (container.restart.timer) clearTimeout(container.restart.timer);
    container.restart = { timer: null, delay: 0 };
    container.move('give-up-restart');
    context.index.save(container);
    container.tellExit({ exitCode: container.record.exitCode, error: '' });
    return true;
  });
}
