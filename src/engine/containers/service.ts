import type { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type {
  ContainerCreateResponse,
  ContainerInspect,
  ContainerSummary,
  ContainersPruneReport,
  ContainerTopResponse,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  FilesystemChange,
} from '../../api/types/container.ts';
import type {
  AttachOptions,
  ContainerCreateOptions,
  ContainerListOptions,
  ContainerRemoveOptions,
  ContainerStopOptions,
  LogsOptions,
  WaitCondition,
} from '../../api/types/container-requests.ts';
import type { ContainerStats } from '../../api/types/stats.ts';
import type { ExitStatus } from '../../supervisor/types.ts';
import type { Filters } from '../../wire/filters.ts';
import type { CommitSource } from '../images/types.ts';
import { clearLog } from '../logs/clear-log.ts';
import { adoptContainers } from './adopt.ts';
import { type AttachedStreams, attachContainer, type PastOutput } from './attach.ts';
import { containerChanges } from './changes.ts';
import { commitSource } from './commit-source.ts';
import type { Container } from './container.ts';
import { ContainerContext, type ContainerDependencies } from './context.ts';
import { createContainer } from './create.ts';
import { containerExited, containerOutOfMemory } from './exited.ts';
import { inspectContainer } from './inspect.ts';
import { killContainer } from './kill.ts';
import { listContainers } from './list.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { pruneContainers } from './prune.ts';
import { removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { resizeContainer } from './resize.ts';
import { listWithSizes, withSizes } from './sizes.ts';
import { startContainer } from './start.ts';
import { containerStats } from './stats.ts';
import { haltContainers, restartContainer, stopContainer } from './stop.ts';
import { topContainer } from './top.ts';
import { updateContainer } from './update.ts';
import { waitContainer } from './wait.ts';

/** The log of a container; src/engine/logs. */
export type ReadLogs = (container: Container, options: LogsOptions) => Promise<Readable>;

/** Containers, by verb. Each method's contract stands at the function of its name in this folder. */
export class ContainerService {
  readonly context: ContainerContext;
  readonly #readLogs: ReadLogs;

  constructor(dependencies: ContainerDependencies, readLogs: ReadLogs) {
    this.context = new ContainerContext(dependencies);
    this.#readLogs = readLogs;
  }

  /** Takes over what runs. Call once, before the server listens. */
  adopt(): Promise<void> {
    return adoptContainers(this.context);
  }

  /** The machine goes down: every container ends in good order. */
  async halt(): Promise<void> {
    await haltContainers(this.context);
  }

  /** No more starts and restarts; resolves when nothing is left half done. Containers go on running. */
  async close(): Promise<void> {
    this.context.closing = true;
    for (const container of this.context.index.all()) {
      if (container.restart.timer) clearTimeout(container.restart.timer);
      container.dismissPending();
      this.context.unwatched(container);
    }
    await this.context.settled();
  }

  /** What the supervisor calls. */
  readonly supervisorEvents = {
    onExit: (id: string, status: ExitStatus): void => containerExited(this.context, id, status),
    onOutOfMemory: (id: string): void => containerOutOfMemory(this.context, id),
  };

  create = (options: ContainerCreateOptions): Promise<ContainerCreateResponse> =>
    createContainer(this.context, options);
  start = (id: string): Promise<void> => startContainer(this.context, id);
  stop = (id: string, options: ContainerStopOptions): Promise<void> => stopContainer(this.context, id, options);
  restart = (id: string, options: ContainerStopOptions): Promise<void> => restartContainer(this.context, id, options);
  kill = (id: string, signal: string): Promise<void> => killContainer(this.context, id, signal);
  pause = (id: string): Promise<void> => pauseContainer(this.context, id);
  unpause = (id: string): Promise<void> => unpauseContainer(this.context, id);
  remove = (id: string, options: ContainerRemoveOptions): Promise<void> => removeContainer(this.context, id, options);
  rename = (id: string, name: string): Promise<void> => renameContainer(this.context, id, name);
  resize = (id: string, size: { rows: number; columns: number }): Promise<void> =>
    resizeContainer(this.context, id, size);
  prune = (filters: Filters): Promise<ContainersPruneReport> => pruneContainers(this.context, filters);
  top = (id: string, psArguments: string): Promise<ContainerTopResponse> => topContainer(this.context, id, psArguments);

  update = (id: string, request: ContainerUpdateRequest): Promise<ContainerUpdateResponse> =>
    updateContainer(this.context, id, request);

  /** What `commit` makes an image of. Error: `not-found`. */
  commitSource(id: string): CommitSource {
    return commitSource(this.context, id);
  }

  changes = (id: string): Promise<FilesystemChange[]> => containerChanges(this.context, id);

  async stats(
    id: string,
    options: { stream: boolean; oneShot: boolean },
    signal: AbortSignal,
  ): Promise<AsyncIterable<ContainerStats>> {
    return containerStats(this.context, id, { ...options, signal });
  }

  wait(id: string, condition: WaitCondition, signal: AbortSignal): { exit: Promise<ContainerWaitResponse> } {
    return waitContainer(this.context, id, { condition, signal });
  }

  list(options: ContainerListOptions & { size: false }): ContainerSummary[];
  list(options: ContainerListOptions): ContainerSummary[] | Promise<ContainerSummary[]>;
  list(options: ContainerListOptions): ContainerSummary[] | Promise<ContainerSummary[]> {
    const summaries = listContainers(this.context, options);
    return options.size ? listWithSizes(this.context, summaries) : summaries;
  }

  inspect(id: string): ContainerInspect;
  inspect(id: string, options: { size: boolean }): ContainerInspect | Promise<ContainerInspect>;
  inspect(id: string, options?: { size: boolean }): ContainerInspect | Promise<ContainerInspect> {
    const inspect = inspectContainer(this.context, id);
    return options?.size ? withSizes(this.context, inspect) : inspect;
  }

  attach(id: string, options: AttachOptions): Promise<AttachedStreams> {
    const past: PastOutput = (container, streams) =>
      this.#readLogs(container, {
        ...streams,
        follow: false,
        since: null,
        until: null,
        tail: null,
        timestamps: false,
        details: false,
        mergeFrames: false,
      });
    return attachContainer(this.context, id, { ...options, past });
  }

  /** Errors: `not-found`; `not-implemented` (as dockerd) for a log driver that cannot be read. */
  async logs(id: string, options: LogsOptions): Promise<{ stream: Readable; terminal: boolean }> {
    const container = this.context.index.find(id);
    checkReadable(container);
    return { stream: await this.#readLogs(container, options), terminal: container.record.config.Tty };
  }

  /** Forgets what it has written so far. Errors: `not-found`; `not-implemented` where nothing is kept. */
  async clearLogs(id: string): Promise<void> {
    const container = this.context.index.find(id);
    const { supervisor, paths } = this.context.dependencies;
    checkReadable(container);
    if (container.pid !== 0) await supervisor.truncateLog(container.id);
    else await this.context.mutex.run(container.id, () => clearLog(paths.container(container.id).log));
  }

  /** How many containers are in each state, for `info`. */
  count(): { running: number; paused: number; stopped: number } {
    const counts = { running: 0, paused: 0, stopped: 0 };
    for (const { state } of this.context.index.all()) {
      if (state === 'running' || state === 'restarting') counts.running++;
      else if (state === 'paused') counts.paused++;
      else counts.stopped++;
    }
    return counts;
  }

  /** Who keeps an image from being removed. */
  containersOf(imageId: string): { id: string; name: string; running: boolean }[] {
    return [...this.context.index.all()]
      .filter(({ record }) => record.image === imageId || record.mounts.some(({ source }) => source === imageId))
      .map((container) => ({ id: container.id, name: container.record.name, running: container.pid !== 0 }));
  }
}

function checkReadable({ record }: Container): void {
  if (record.hostConfig.LogConfig.Type === 'none')
    throw new BerthError('not-implemented', 'configured logging driver does not support reading');
}
