/** Build steps as containers without a row in the books: the engine's own machinery, for one command. */
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { containerCreateRequest } from '../../api/schemas/container.ts';
import type { ContainerConfig, HostConfig } from '../../api/types/container.ts';
import { UndoStack } from '../../base/undo-stack.ts';
import type { RuntimeMount } from '../../oci/runtime-spec.ts';
import type { PreparedMount, StepOptions, StepOutcome, StepRequest, StepRunner } from '../../oci/step.ts';
import type { ExitStatus, ShimSpec } from '../../supervisor/types.ts';
import { sigkill } from '../../wire/signals.ts';
import { StdcopyDecoder } from '../../wire/stdcopy.ts';
import { timestamp } from '../containers/clock.ts';
import type { ContainerContext } from '../containers/context.ts';
import { fillHostConfig } from '../containers/host-config.ts';
import { type ContainerRecord, neverStarted } from '../containers/record.ts';
import { dnsWishes } from '../containers/sandbox-request.ts';
import { networkSysctls } from '../containers/spec/bundle.ts';
import { parentsFirst } from '../containers/spec/mounts.ts';
import { isContainerMode } from '../containers/spec/namespaces.ts';
import { homeOfUnknown, resolveUser } from '../containers/spec/users.ts';
import type { SandboxRequest } from '../networks/types.ts';

/** What BuildKit calls the machine that a step runs on. */
const hostname = 'buildkitsandbox';

export class ContainerSteps implements StepRunner {
  readonly #context: ContainerContext;
  readonly #exits = new Map<string, (status: ExitStatus) => void>();

  constructor(context: ContainerContext) {
    this.#context = context;
    context.onStranger = (id, status) => this.#exits.get(id)?.(status);
  }

  async run(request: StepRequest, options: StepOptions): Promise<StepOutcome> {
    const { dependencies } = this.#context;
    options.signal.throwIfAborted();
    dependencies.supervisor.prepareStart();
    const undo = new UndoStack();
    const { promise: exit, resolve } = Promise.withResolvers<ExitStatus>();
    const record = this.#record(request);
    this.#exits.set(record.id, resolve);
    undo.push('exit', () => {
      this.#exits.delete(record.id);
      return Promise.resolve();
    });
    try {
      const stream = await this.#launch(record, request, undo);
      const kill = (): void => void dependencies.supervisor.signal(record.id, null, sigkill).catch(() => {}); // it has just ended
      options.signal.addEventListener('abort', kill, { once: true });
      if (options.signal.aborted) kill();
      const read = readOutput(stream, options.output);
      const status = await exit;
      options.signal.removeEventListener('abort', kill);
      await read;
      options.signal.throwIfAborted();
      return { exitCode: status.code, outOfMemory: status.oomKilled };
    } finally {
      for (const failure of await undo.unwind()) dependencies.report('build step', failure);
    }
  }

  async #launch(record: ContainerRecord, request: StepRequest, undo: UndoStack): Promise<Duplex> {
    const context = this.#context;
    const { dependencies } = context;
    const paths = dependencies.paths.container(record.id);
    const lower = await this.#lower(request);
    undo.push('network', () => dependencies.networks.release(record.id));
    const [sandbox, passwd, group] = await Promise.all([
      dependencies.networks.allocate(this.#sandbox(record)),
      dependencies.files.readRootFile(request.lower, '/etc/passwd'),
      dependencies.files.readRootFile(request.lower, '/etc/group'),
    ]);
    const cgroupPath = context.cgroupOf({ record });
    const isHost = sandbox.plan.kind === 'host';
    undo.push('bundle', () => dependencies.files.removeBundle(record.id));
    const user = resolveUser(record.config.User, [], { passwd, group });
    const bundle = await context.bundles.write({
      record,
      user,
      home: homeOfUnknown(user.uid, passwd),
      hostname,
      network: sandbox.plan.kind,
      files: {
        resolvConf: sandbox.resolvConf === null ? '/etc/resolv.conf' : paths.resolvConf,
        hostname: paths.hostname,
        hosts: sandbox.hosts === null ? '/etc/hosts' : paths.hosts,
      },
      cgroupPath,
      directory: paths.bundle,
      pidOf: () => 0,
      extraMounts: await this.#mounts(record, request.mounts),
    });
    await dependencies.files.writeBundle(record.id, {
      config: bundle.config,
      hosts: sandbox.hosts,
      hostname: isHost ? `${dependencies.host.hostname}\n` : `${hostname}\n`,
      resolvConf: sandbox.resolvConf,
    });
    const program = dependencies.settings.runtimes.get(record.hostConfig.Runtime);
    if (!program) throw new Error(`unknown runtime ${record.hostConfig.Runtime}`);
    const spec: ShimSpec = {
      id: record.id,
      directory: paths.bundle,
      runtime: { path: program.path, root: dependencies.paths.runtime, arguments: program.arguments },
      root: { kind: 'overlay', lower, upper: request.upper, work: request.work, volatile: true },
      terminal: false,
      stdin: 'closed',
      size: null,
      log: { driver: 'none' },
      network: sandbox.plan,
      sysctls: networkSysctls(record, sandbox.plan.kind),
      cgroupPath,
      attachments: [{ stdin: false, stdout: true, stderr: true }],
    };
    undo.push('process', () => dependencies.supervisor.cleanUp(record.id, paths.bundle));
    const started = await dependencies.supervisor.start(spec);
    bundle.started(spec.runtime.root);
    return started.attachments[0] as Duplex;
  }

  /** As for containers: what the runtime mounts over comes from a layer of its own, so that the step's stays empty. */
  async #lower(request: StepRequest): Promise<string[]> {
    const below = [...request.lower];
    return [await this.#context.dependencies.files.initLayer(`step ${below.join(':')}`, below), ...below];
  }

  #record(request: StepRequest): ContainerRecord {
    const blank = containerCreateRequest.zero();
    const { HostConfig: host, NetworkingConfig: _none, ...config } = blank;
    const hostConfig: HostConfig = { ...host, ...(request.limits as Partial<HostConfig>) };
    hostConfig.NetworkMode = request.network === 'default' || request.network === '' ? 'bridge' : request.network;
    hostConfig.ExtraHosts = [...request.extraHosts];
    hostConfig.Privileged = request.privileged;
    hostConfig.AutoRemove = true;
    fillHostConfig(hostConfig, {
      settings: this.#context.dependencies.settings,
      host: this.#context.dependencies.host,
      index: this.#context.index,
    });
    const own: ContainerConfig = {
      ...config,
      Hostname: hostname,
      User: request.user,
      // A step has no HOSTNAME among its variables, as with BuildKit.
      Env: ['HOSTNAME', ...request.env],
      WorkingDir: request.directory,
    };
    const id = randomBytes(32).toString('hex');
    return {
      id,
      name: `build-${id.slice(0, 12)}`,
      created: timestamp(),
      image: '',
      config: own,
      hostConfig,
      path: request.args[0] as string,
      arguments: request.args.slice(1),
      endpoints: {},
      mounts: [],
      ...neverStarted,
    };
  }

  #sandbox(record: ContainerRecord): SandboxRequest {
    const { hostConfig } = record;
    return {
      containerId: record.id,
      containerName: '',
      hostname,
      domainname: '',
      networkMode: hostConfig.NetworkMode,
      endpoints: [],
      joinPid: isContainerMode(hostConfig.NetworkMode)
        ? this.#context.pidOfMode(hostConfig.NetworkMode, 'network')
        : null,
      macAddress: null,
      links: [],
      exposedPorts: [],
      portBindings: {},
      publishAllPorts: false,
      ...dnsWishes(this.#context, { record }),
      extraHosts: hostConfig.ExtraHosts ?? [],
    };
  }

  /** Parents before what lies below them. Secrets are written below the exec root, which is memory, and go with the bundle. */
  async #mounts(record: ContainerRecord, mounts: readonly PreparedMount[]): Promise<RuntimeMount[]> {
    const { bundle } = this.#context.dependencies.paths.container(record.id);
    const made: RuntimeMount[] = [];
    for (const [index, mount] of parentsFirst(mounts, ({ target }) => target).entries()) {
      if (mount.kind === 'secret') {
        const source = join(bundle, `secret-${index}`);
        await mkdir(bundle, { recursive: true, mode: 0o710 });
        await writeFile(source, mount.content, { mode: 0o600 });
        await chown(source, mount.uid, mount.gid);
        await chmod(source, mount.mode);
        made.push({ destination: mount.target, type: 'bind', source, options: ['rbind', 'ro', 'rprivate'] });
      } else {
        made.push(runtimeMount(mount));
      }
    }
    return made;
  }
}

function runtimeMount(mount: Exclude<PreparedMount, { kind: 'secret' }>): RuntimeMount {
  const destination = mount.target;
  if (mount.kind === 'bind')
    return {
      destination,
      type: 'bind',
      source: mount.source,
      options: ['rbind', mount.readonly ? 'ro' : 'rw', 'rprivate'],
    };
  if (mount.kind === 'tmpfs') {
    const size = mount.size > 0 ? [`size=${mount.size}`] : [];
    return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec', ...size] };
  }
  const writable = mount.upper !== null && mount.work !== null;
  const options = [`lowerdir=${mount.lower.join(':')}`];
  if (writable) options.push(`upperdir=${mount.upper}`, `workdir=${mount.work}`);
  return { destination, type: 'overlay', source: 'overlay', options: writable ? options : [...options, 'ro'] };
}

/** Gives what the step writes, until it has closed its streams. */
async function readOutput(stream: Duplex, output: StepOptions['output']): Promise<void> {
  const decoder = new StdcopyDecoder((number, bytes) => output(number === 2 ? 2 : 1, bytes));
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) decoder.push(chunk);
  } catch {
    // The stream of a step that is killed may break off; its exit tells the rest.
  }
}
