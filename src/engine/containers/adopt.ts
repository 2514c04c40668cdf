import { errorMessage } from '../../api/errors.ts';
import { failpoint } from '../../base/failpoint.ts';
import { Semaphore } from '../../base/semaphore.ts';
import type { Adoption } from '../../supervisor/types.ts';
import { sigkill } from '../../wire/signals.ts';
import { healthAtStart, healthUnwatched } from '../health/health-state.ts';
import { timestamp, timestampOf } from './clock.ts';
import type { Container } from './container.ts';
import type { ContainerContext } from './context.ts';
import { leaveSandbox } from './record.ts';
import { finishRemoval } from './remove.ts';
import { startsWithEngine } from './restart-policy.ts';
import { startContainer } from './start.ts';
import { inStartOrder } from './start-order.ts';
import { isAlive } from './states.ts';

/**
 * Brings the books and the machine together when the engine starts: shims that live are adopted, exits that nobody saw are
 * entered, half-done removals are finished, what belongs to no container is cleaned away. Resolves when the engine may serve;
 * restarts and deletions go on behind it.
 */
export async function adoptContainers(context: ContainerContext): Promise<void> {
  const { dependencies, index } = context;
  index.load();
  const bundles = await dependencies.files.bundles();
  // A container may end between its shim's answer and its entry: its exit waits behind this until there is a pid to end.
  const { promise: entered, resolve: release } = Promise.withResolvers<void>();
  for (const { id } of index.all())
    context.background(
      `adopt ${id}`,
      context.mutex.run(id, () => entered),
    );
  try {
    await adoptAll(context, bundles);
  } finally {
    release();
  }
}

async function adoptAll(context: ContainerContext, bundles: ReadonlySet<string>): Promise<void> {
  const { dependencies, index } = context;
  const found = await Promise.all(
    [...index.all()].map(async (container) => ({ container, adoption: await ask(context, container, bundles) })),
  );
  await failpoint('adopt.before-entry');
  const running = new Set(
    found.filter(({ adoption }) => adoption?.state === 'running').map(({ container }) => container.id),
  );
  // What ran, but left no directory that could be asked, may run on: after a reboot its cgroup is gone.
  const lost = new Set(found.filter(({ container, adoption }) => !adoption && isAlive(container.state)));
  for (const { container, adoption } of found) enter(context, container, adoption);
  await failpoint('adopt.after-entry');
  await removeStrangers(context, bundles);
  await failpoint('adopt.after-strangers');
  await dependencies.networks.reconcile(running);
  await failpoint('adopt.after-networks');
  for (const one of found) if (lost.has(one) || hasEnded(one.adoption)) cleanAfter(context, one.container);
  const due = found.filter(({ container }) => follow(context, container)).map(({ container }) => container);
  for (const container of index.all()) if (container.state === 'running') context.watched(container);
  if (due.length > 0) context.background('start containers with the engine', startAll(context, due));
}

/** Null: the container has no directory in the exec root, so it did not run in this boot. */
async function ask(
  context: ContainerContext,
  container: Container,
  bundles: ReadonlySet<string>,
): Promise<Adoption | null> {
  if (!bundles.has(container.id)) return null;
  const { supervisor, paths, report } = context.dependencies;
  try {
    return await supervisor.adopt(container.id, paths.container(container.id).bundle);
  } catch (error) {
    report(`adopt ${container.id}`, error);
    return { state: 'gone' };
  }
}

function enter(context: ContainerContext, container: Container, adoption: Adoption | null): void {
  const { record } = container;
  if (adoption?.state === 'running') {
    container.pid = adoption.pid;
    // A commit lets it stand still without a word in the books, and may have died with the engine.
    if (record.state === 'running')
      context.background(`let ${container.id} go on`, context.dependencies.freezer.thaw(context.cgroupOf(container)));
    // The engine may have died between the start of the process and its entry.
    if (record.state === 'created' || record.state === 'exited' || record.state === 'restarting') {
      record.state = 'running';
      record.startedAt = timestampOf(adoption.startedAt);
      record.health = healthAtStart(record.config, record.health);
      context.index.save(container);
    }
    return;
  }
  if (record.state === 'restarting') {
    // How it ended is in the books already.
    record.state = 'exited';
    context.index.save(container);
    return;
  }
  if (record.state !== 'running' && record.state !== 'paused') return;
  const status = adoption?.state === 'exited' ? adoption.status : null;
  record.state = 'exited';
  leaveSandbox(record);
  // Nobody knows how a container ended whose shim is gone, with a reboot for example; 255 is what Docker says then.
  record.exitCode = status?.code ?? 255;
  record.oomKilled = status?.oomKilled ?? false;
  record.health = healthUnwatched(record.health);
  record.finishedAt = status ? timestampOf(status.exitedAt) : timestamp();
  context.index.save(container);
  context.publish(container, 'die', { exitCode: String(record.exitCode) });
}

function hasEnded(adoption: Adoption | null): boolean {
  return adoption !== null && adoption.state !== 'running';
}

/** Whatever the exec root still says of it, nothing of the container runs on. */
function cleanAfter(context: ContainerContext, container: Container): void {
  const { supervisor, paths, report, freezer, files } = context.dependencies;
  const cgroup = context.cgroupOf(container);
  const clean = async (): Promise<void> => {
    // A frozen process does not die.
    await freezer.thaw(cgroup);
    await supervisor.cleanUp(container.id, paths.container(container.id).bundle);
    await supervisor.endCgroup(cgroup);
    await files.removeRuntimeState(container.id);
  };
  container.cleaning = clean().catch((error: unknown) => report(`clean up ${container.id}`, error));
  context.background(`clean up ${container.id}`, container.cleaning);
}

/** What a container needs now: to be removed, or (true) started again. */
function follow(context: ContainerContext, container: Container): boolean {
  const { record } = container;
  const half = record.state === 'removing' || record.state === 'dead';
  if (half || (record.hostConfig.AutoRemove && record.state === 'exited')) {
    container.move('remove');
    context.background(`remove ${container.id}`, finishRemoval(context, container));
    return false;
  }
  return record.state === 'exited' && startsWithEngine({ ...record, policy: record.hostConfig.RestartPolicy });
}

/** Docker starts them all at once; here as many at a time as do not hinder each other. */
const startsAtOnce = 8;

async function startAll(context: ContainerContext, due: readonly Container[]): Promise<void> {
  const room = new Semaphore(startsAtOnce);
  await inStartOrder(due, context.index, async (container) => {
    const leave = await room.acquire();
    await startAgain(context, container);
    leave();
  });
}

async function startAgain(context: ContainerContext, container: Container): Promise<void> {
  try {
    await startContainer(context, container.id);
  } catch (error) {
    context.dependencies.report(`start ${container.record.name} with the engine: ${errorMessage(error)}`, error);
  }
}

/** Bundles of containers that the books do not have: the engine died before the row was written, or after it was deleted. */
async function removeStrangers(context: ContainerContext, bundles: ReadonlySet<string>): Promise<void> {
  const { dependencies, index } = context;
  const states = await dependencies.files.runtimeStates();
  for (const id of new Set([...bundles, ...states])) {
    if (index.byId(id)) continue;
    const { bundle } = dependencies.paths.container(id);
    const adoption = await dependencies.supervisor.adopt(id, bundle).catch((): Adoption => ({ state: 'gone' }));
    if (adoption.state === 'running') await dependencies.supervisor.signal(id, null, sigkill).catch(() => {}); // it has just ended
    context.background(`clean up ${id}`, cleanStranger(context, id));
  }
  await dependencies.files.discardExcept((id) => index.byId(id) !== undefined);
}

/** @param id of a container without a row, by its bundle or by the runtime's state of it */
async function cleanStranger({ dependencies }: ContainerContext, id: string): Promise<void> {
  const { supervisor, files, paths, settings } = dependencies;
  await supervisor.cleanUp(id, paths.container(id).bundle);
  if (!/^[0-9a-f]{64}$/.test(id)) return;
  await supervisor.endCgroup(`/${settings.cgroupParent}/${id}`);
  await files.removeRuntimeState(id);
}
