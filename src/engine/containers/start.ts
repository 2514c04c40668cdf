import { BerthError, errorKind, errorMessage } from '../../api/errors.ts';
import { failpoint } from '../../base/failpoint.ts';
import { together } from '../../base/together.ts';
import { UndoStack } from '../../base/undo-stack.ts';
import { startFailureExitCode } from '../../supervisor/runtime-errors.ts';
import type { RootMount, ShimSpec, StartedContainer } from '../../supervisor/types.ts';
import { sigkill } from '../../wire/signals.ts';
import { healthAtStart } from '../health/health-state.ts';
import type { Sandbox } from '../networks/types.ts';
import { timestampOf } from './clock.ts';
import type { Container, PendingAttachment } from './container.ts';
import type { ContainerContext } from './context.ts';
import { linkEnvironment, tellParents } from './links.ts';
import { logPlan } from './log-plan.ts';
import { imageMounts } from './mounts/image-mounts.ts';
import { checkSubpath } from './mounts/subpath.ts';
import { publishNetworks } from './network-events.ts';
import { pinsOf } from './pins.ts';
import type { ContainerRecord } from './record.ts';
import { removeNow } from './remove.ts';
import { sandboxRequest } from './sandbox-request.ts';
import { networkSysctls } from './spec/bundle.ts';
import { containerOfMode } from './spec/namespaces.ts';
import { homeOfUnknown, resolveUser } from './spec/users.ts';
import { publishVolumes } from './volume-events.ts';

/**
 * Starts a created or exited container. Resolves when its process runs.
 * Errors: `not-modified` for a running one, `conflict` for a paused one, else what the network, the disk or the runtime says.
 */
export function startContainer(context: ContainerContext, reference: string): Promise<void> {
  const container = context.index.find(reference);
  return context.mutex.run(container.id, async () => {
    container.check('start', reference);
    container.record.stoppedByUser = false;
    container.record.restartCount = 0;
    container.restart.delay = 0;
    await run(context, container, 'start');
  });
}

/** The same for a container that waits for its restart; the caller holds its mutex. */
export function reviveContainer(context: ContainerContext, container: Container): Promise<void> {
  return run(context, container, 'revive');
}

async function run(context: ContainerContext, container: Container, transition: 'start' | 'revive'): Promise<void> {
  if (context.closing) throw new BerthError('unavailable', 'the engine is stopping');
  context.dependencies.supervisor.prepareStart();
  if (container.cleaning) await container.cleaning;
  await container.upload?.finish();
  const undo = new UndoStack();
  try {
    const launched = await launch(context, container, undo);
    undo.push('process', () => endProcess(context, container));
    await failpoint('run.after-shim');
    // Somebody may have begun to remove it meanwhile: then the process goes again.
    container.check(transition);
    undo.release();
    commitStart(context, container, { ...launched, transition });
  } catch (error) {
    for (const failure of await undo.unwind()) context.dependencies.report('start container', failure);
    await abandonStart(context, container, error);
    throw error;
  }
}

interface Launched {
  started: StartedContainer;
  sandbox: Sandbox;
  /** The clients whose streams `started` has, in its order. */
  waiting: PendingAttachment[];
}

/** Everything from the network's books to the running process. */
async function launch(context: ContainerContext, container: Container, undo: UndoStack): Promise<Launched> {
  const { dependencies } = context;
  const { record } = container;
  const { hostConfig } = record;
  const paths = dependencies.paths.container(record.id);
  const log = logPlan(record, paths.log);
  const lower = await context.lowerLayers(container);
  container.prepared ??= dependencies.files.prepare(record.id);
  const [sandbox, userFiles] = await together([
    allocateNetwork(context, container, undo),
    context.users.read(container, lower),
    makeSources(context, container, undo),
  ]);
  await failpoint('run.after-network');
  const user = resolveUser(record.config.User, hostConfig.GroupAdd ?? [], userFiles);
  const host = sandbox.plan.kind === 'join' ? networkHostOf(context, container) : null;
  if (host) takeNames(container, host);
  const hostname = hostConfig.UTSMode === 'host' ? dependencies.host.hostname : record.config.Hostname;
  const cgroupPath = context.cgroupOf(container);
  const joined = host && networkFilesOf(context, host);
  const bundle = await context.bundles.write({
    record,
    user,
    home: hasOwnPasswd(record) ? null : homeOfUnknown(user.uid, userFiles.passwd),
    hostname,
    network: sandbox.plan.kind,
    files: joined ?? {
      resolvConf: sandbox.resolvConf === null ? '/etc/resolv.conf' : paths.resolvConf,
      hostname: paths.hostname,
      hosts: sandbox.hosts === null ? '/etc/hosts' : paths.hosts,
    },
    imageMounts: await imageMounts(context, container),
    cgroupPath,
    directory: paths.bundle,
    linkVariables: linkEnvironment(container, context.index),
    pidOf: (mode) => context.pidOfMode(mode, mode === hostConfig.PidMode ? 'PID' : 'IPC'),
  });
  await prepared(container);
  undo.push('bundle', () => dependencies.files.removeBundle(record.id));
  await dependencies.files.writeBundle(record.id, {
    config: bundle.config,
    hosts: joined ? null : sandbox.hosts,
    hostname: joined ? null : `${hostname}\n`,
    resolvConf: joined ? null : sandbox.resolvConf,
  });
  await failpoint('run.after-bundle');
  const waiting = container.takePending();
  undo.push('attached clients', () => {
    for (const attachment of waiting) attachment.connect(null);
  });
  const spec: ShimSpec = {
    id: record.id,
    directory: paths.bundle,
    runtime: runtimeOf(context, container),
    root: rootOf(context, container, lower),
    terminal: record.config.Tty,
    stdin: stdinMode(container),
    size: consoleSize(container),
    log,
    network: sandbox.plan,
    sysctls: networkSysctls(record, sandbox.plan.kind),
    pins: pinsOf(context, container),
    cgroupPath,
    attachments: waiting.map((attachment) => attachment.request),
  };
  const started = await dependencies.supervisor.start(spec);
  bundle.started(spec.runtime.root);
  return { started, sandbox, waiting };
}

async function allocateNetwork(context: ContainerContext, container: Container, undo: UndoStack): Promise<Sandbox> {
  const { networks } = context.dependencies;
  const request = sandboxRequest(context, container);
  undo.push('network', () => networks.release(container.id));
  return networks.allocate(request);
}

/** A failure is tried again by the next start: the disk may have room then. */
async function prepared(container: Container): Promise<void> {
  try {
    await container.prepared;
  } catch (error) {
    container.prepared = null;
    throw error;
  }
}

async function makeSources(context: ContainerContext, container: Container, undo: UndoStack): Promise<void> {
  const { files, volumes } = context.dependencies;
  undo.push('volumes', () => volumes.letGo(container.id));
  for (const mount of container.record.mounts) {
    if (mount.type === 'bind' && mount.createSource) await files.makeSource(mount.source);
    if (mount.type !== 'volume') continue;
    const directory = await volumes.hold(mount.name, container.id);
    if (directory === null) throw new BerthError('not-found', `get ${mount.name}: no such volume`);
    if (mount.subpath !== '') await checkSubpath(directory, mount.subpath);
  }
}

/** True where something is mounted over the file, so that only the runtime sees who is in it. */
function hasOwnPasswd({ mounts }: ContainerRecord): boolean {
  return mounts.some(({ destination }) => destination === '/etc' || destination === '/etc/passwd');
}

/** Who shares the network with a container of mode `container:`. */
function networkHostOf(context: ContainerContext, container: Container): Container {
  return context.index.find(containerOfMode(container.record.hostConfig.NetworkMode));
}

/** A container in another one's network goes by that one's names. */
function takeNames({ record }: Container, host: Container): void {
  const { Hostname, Domainname } = host.record.config;
  record.config = { ...record.config, Hostname, Domainname };
}

/** … and sees its files. */
function networkFilesOf(context: ContainerContext, host: Container) {
  const paths = context.dependencies.paths.container(host.id);
  return host.record.hostConfig.NetworkMode === 'host'
    ? { resolvConf: '/etc/resolv.conf', hostname: paths.hostname, hosts: '/etc/hosts' }
    : { resolvConf: paths.resolvConf, hostname: paths.hostname, hosts: paths.hosts };
}

function runtimeOf(context: ContainerContext, container: Container): ShimSpec['runtime'] {
  const { settings, paths } = context.dependencies;
  const program = settings.runtimes.get(container.record.hostConfig.Runtime);
  if (!program)
    throw new BerthError('invalid', `unknown or invalid runtime name: ${container.record.hostConfig.Runtime}`);
  return { path: program.path, root: paths.runtime, arguments: program.arguments };
}

function rootOf(context: ContainerContext, container: Container, lower: string[]): RootMount {
  const paths = context.dependencies.paths.container(container.id);
  return {
    kind: 'overlay',
    lower,
    upper: paths.upper,
    work: paths.work,
    volatile: container.record.hostConfig.AutoRemove,
  };
}

function stdinMode(container: Container): ShimSpec['stdin'] {
  const { OpenStdin, StdinOnce } = container.record.config;
  if (!OpenStdin) return 'closed';
  return StdinOnce ? 'once' : 'open';
}

function consoleSize(container: Container): ShimSpec['size'] {
  const [rows, columns] = container.record.hostConfig.ConsoleSize;
  return rows > 0 && columns > 0 ? { rows, columns } : null;
}

function commitStart(
  context: ContainerContext,
  container: Container,
  result: Launched & { transition: 'start' | 'revive' },
): void {
  const { record } = container;
  const { started, sandbox } = result;
  container.move(result.transition);
  container.pid = started.pid;
  container.hasOwnFiles = true;
  record.startedAt = timestampOf(started.startedAt);
  record.exitCode = 0;
  record.error = '';
  record.oomKilled = false;
  record.health = healthAtStart(record.config, record.health);
  record.sandbox = { networks: sandbox.networks, ports: sandbox.ports };
  context.saveFact(container);
  failpoint('run.after-start');
  publishVolumes(context, container, 'mount');
  publishNetworks(context, container, 'connect');
  tellParents(context, container);
  context.publish(container, 'start');
  context.watched(container);
  for (const [index, attachment] of result.waiting.entries()) attachment.connect(started.attachments[index] ?? null);
  // Clients that came while the shim was starting have no stream of their own yet.
  for (const attachment of container.takePending())
    context.dependencies.supervisor.attach(container.id, attachment.request).then(
      (stream) => attachment.connect(stream),
      () => attachment.connect(null),
    );
}

/** Takes back a process that could not be entered. Its exit finds no pid and is passed over. */
async function endProcess(context: ContainerContext, container: Container): Promise<void> {
  const { supervisor, paths } = context.dependencies;
  await supervisor.signal(container.id, null, sigkill).catch((error: unknown) => {
    if (errorKind(error) !== 'not-found') throw error;
  });
  await supervisor.cleanUp(container.id, paths.container(container.id).bundle);
}

/** A start that failed leaves the container as it was, with the reason in its books; a `--rm` one goes. */
async function abandonStart(context: ContainerContext, container: Container, error: unknown): Promise<void> {
  const { record } = container;
  record.error = errorMessage(error);
  record.exitCode = startFailureExitCode(error);
  if (record.state === 'restarting') container.move('give-up-restart');
  container.dismissPending();
  context.saveFact(container);
  container.tellExit({ exitCode: record.exitCode, error: '' });
  if (record.hostConfig.AutoRemove && record.state !== 'removing') {
    container.move('remove');
    await removeNow(context, container);
  }
}
