/**
 * What each route takes and gives, for the OpenAPI page (`scripts/gen-openapi.ts`) and the test that holds the engine to it. Types are
 * named as in `types/`. A route without an entry here is refused for good, or not built yet.
 */
import type { RouteName } from './routes.ts';

/** How a query parameter is written. `filters`: a JSON object of lists; `platform`: `os/arch[/variant]` or JSON. */
export type ParameterKind = 'text' | 'flag' | 'integer' | 'list' | 'filters' | 'platform';

/**
 * What an answer's body is: the name of a type, `T[]`, `stream of T` (one JSON object after another), `tar`, `text`, `output` (stdcopy
 * frames or a terminal's bytes), `upgrade` (the connection becomes a raw stream, or a WebSocket), or `nothing`.
 */
export type Content = string;

export interface Operation {
  readonly query?: Readonly<Record<string, ParameterKind>>;
  /** The name of the type of a JSON body, `tar`, or absent: none. */
  readonly body?: string;
  readonly status: number;
  readonly answer: Content;
  /** The status where nothing had to be done. */
  readonly unchanged?: 304;
}

const credentials = { status: 200, answer: 'stream of ProgressMessage' } as const;
const done = { status: 204, answer: 'nothing' } as const;
const streams = {
  stream: 'flag',
  stdin: 'flag',
  stdout: 'flag',
  stderr: 'flag',
  logs: 'flag',
  detachKeys: 'text',
} as const;
const size = { query: { h: 'integer', w: 'integer' }, status: 200, answer: 'nothing' } as const;

export const operations: Partial<Record<RouteName, Operation>> = {
  ping: { status: 200, answer: 'text' },
  pingHead: { status: 200, answer: 'nothing' },
  version: { status: 200, answer: 'VersionInfo' },
  info: { status: 200, answer: 'SystemInfo' },
  events: {
    query: { since: 'text', until: 'text', filters: 'filters' },
    status: 200,
    answer: 'stream of EventMessage',
  },
  diskUsage: { query: { type: 'list', verbose: 'flag' }, status: 200, answer: 'DiskUsageResponse' },
  authenticate: { body: 'AuthConfig', status: 200, answer: 'AuthResponse' },

  containerList: {
    query: { all: 'flag', limit: 'integer', size: 'flag', filters: 'filters', since: 'text', before: 'text' },
    status: 200,
    answer: 'ContainerSummary[]',
  },
  containerCreate: {
    query: { name: 'text', platform: 'platform' },
    body: 'ContainerCreateRequest',
    status: 201,
    answer: 'ContainerCreateResponse',
  },
  containerPrune: { query: { filters: 'filters' }, status: 200, answer: 'ContainersPruneReport' },
  containerInspect: { query: { size: 'flag' }, status: 200, answer: 'ContainerInspect' },
  containerTop: { query: { ps_args: 'text' }, status: 200, answer: 'ContainerTopResponse' },
  containerLogs: {
    query: {
      ...{ stdout: 'flag', stderr: 'flag', follow: 'flag', since: 'text', until: 'text' },
      ...{ tail: 'text', timestamps: 'flag', details: 'flag' },
    },
    status: 200,
    answer: 'output',
  },
  containerChanges: { status: 200, answer: 'FilesystemChange[] or null' },
  containerExport: { status: 200, answer: 'tar' },
  containerStats: { query: { stream: 'flag', 'one-shot': 'flag' }, status: 200, answer: 'stream of ContainerStats' },
  containerResize: size,
  containerStart: { query: { checkpoint: 'text' }, ...done, unchanged: 304 },
  containerStop: { query: { signal: 'text', t: 'integer' }, ...done, unchanged: 304 },
  containerRestart: { query: { signal: 'text', t: 'integer' }, ...done },
  containerKill: { query: { signal: 'text' }, ...done },
  containerUpdate: { body: 'ContainerUpdateRequest', status: 200, answer: 'ContainerUpdateResponse' },
  containerRename: { query: { name: 'text' }, ...done },
  containerPause: done,
  containerUnpause: done,
  containerAttach: { query: streams, status: 101, answer: 'upgrade' },
  containerAttachWebsocket: { query: streams, status: 101, answer: 'upgrade' },
  containerWait: { query: { condition: 'text' }, status: 200, answer: 'ContainerWaitResponse' },
  containerRemove: { query: { force: 'flag', v: 'flag', link: 'flag' }, ...done },
  containerArchiveStat: { query: { path: 'text' }, status: 200, answer: 'nothing' },
  containerArchiveRead: { query: { path: 'text' }, status: 200, answer: 'tar' },
  containerArchiveWrite: {
    query: { path: 'text', noOverwriteDirNonDir: 'flag', copyUIDGID: 'flag' },
    body: 'tar',
    status: 200,
    answer: 'nothing',
  },

  execCreate: { body: 'ExecCreateRequest', status: 201, answer: 'ExecCreateResponse' },
  execStart: { body: 'ExecStartRequest', status: 101, answer: 'upgrade' },
  execResize: size,
  execInspect: { status: 200, answer: 'ExecInspect' },

  imageList: {
    query: { all: 'flag', filters: 'filters', 'shared-size': 'flag', filter: 'text' },
    status: 200,
    answer: 'ImageSummary[]',
  },
  imageCreate: {
    query: {
      ...{ fromImage: 'text', fromSrc: 'text', repo: 'text', tag: 'text' },
      ...{ message: 'text', changes: 'list', platform: 'platform' },
    },
    body: 'tar',
    ...credentials,
  },
  imageSaveMany: { query: { names: 'list', platform: 'platform' }, status: 200, answer: 'tar' },
  imageLoad: { query: { quiet: 'flag', platform: 'platform' }, body: 'tar', ...credentials },
  imagePrune: { query: { filters: 'filters' }, status: 200, answer: 'ImagesPruneReport' },
  imageSave: { query: { platform: 'platform' }, status: 200, answer: 'tar' },
  imageHistory: { query: { platform: 'platform' }, status: 200, answer: 'ImageHistoryEntry[]' },
  imageInspect: { query: { platform: 'platform' }, status: 200, answer: 'ImageInspectResponse' },
  imagePush: { query: { tag: 'text', platform: 'platform' }, ...credentials },
  imageTag: { query: { repo: 'text', tag: 'text' }, status: 201, answer: 'nothing' },
  imageRemove: { query: { force: 'flag', noprune: 'flag' }, status: 200, answer: 'ImageDeleteItem[]' },
  imageCommit: {
    query: {
      ...{ container: 'text', repo: 'text', tag: 'text', comment: 'text' },
      ...{ author: 'text', pause: 'flag', changes: 'list' },
    },
    body: 'ContainerConfig',
    status: 201,
    answer: 'ImageCommitResponse',
  },

  imageSearch: {
    query: { term: 'text', limit: 'integer', filters: 'filters' },
    status: 200,
    answer: 'ImageSearchResult[]',
  },
  distributionInspect: { status: 200, answer: 'DistributionInspect' },

  build: {
    query: {
      ...{
        t: 'list',
        remote: 'text',
        dockerfile: 'text',
        target: 'text',
        buildargs: 'text',
        labels: 'text',
        q: 'flag',
      },
      ...{ nocache: 'flag', pull: 'flag', platform: 'text', networkmode: 'text', extrahosts: 'list', squash: 'flag' },
      ...{ memory: 'integer', memswap: 'integer', cpushares: 'integer', cpuperiod: 'integer', cpuquota: 'integer' },
      ...{ shmsize: 'integer', cpusetcpus: 'text', cpusetmems: 'text', cgroupparent: 'text', ulimits: 'text' },
      ...{ version: 'text', cachefrom: 'text' },
    },
    body: 'tar',
    ...credentials,
  },
  buildPrune: {
    query: { all: 'flag', 'keep-storage': 'integer', 'reserved-space': 'integer', filters: 'filters' },
    status: 200,
    answer: 'BuildPruneReport',
  },

  networkList: { query: { filters: 'filters' }, status: 200, answer: 'NetworkInspect[]' },
  networkListSlash: { query: { filters: 'filters' }, status: 200, answer: 'NetworkInspect[]' },
  networkInspect: { query: { verbose: 'flag', scope: 'text' }, status: 200, answer: 'NetworkInspect' },
  networkCreate: { body: 'NetworkCreateRequest', status: 201, answer: 'NetworkCreateResponse' },
  networkPrune: { query: { filters: 'filters' }, status: 200, answer: 'NetworksPruneReport' },
  networkConnect: { body: 'NetworkConnectRequest', status: 200, answer: 'nothing' },
  networkDisconnect: { body: 'NetworkDisconnectRequest', status: 200, answer: 'nothing' },
  networkRemove: done,

  volumeList: { query: { filters: 'filters' }, status: 200, answer: 'VolumeListResponse' },
  volumeInspect: { status: 200, answer: 'Volume' },
  volumeCreate: { body: 'VolumeCreateRequest', status: 201, answer: 'Volume' },
  volumePrune: { query: { filters: 'filters' }, status: 200, answer: 'VolumesPruneReport' },
  volumeRemove: { query: { force: 'flag' }, ...done },

  pluginList: { status: 200, answer: 'Plugin[]' },
  pluginInspect: { status: 200, answer: 'Plugin' },

  berthBuild: { status: 101, answer: 'upgrade' },
  berthManifestInspect: { status: 200, answer: 'RemoteManifest' },
  berthManifestPush: { body: 'ManifestPush', status: 200, answer: 'ManifestPushed' },
  berthImageBootstrap: { query: { name: 'text' }, ...credentials },
  berthVolumeSizes: { query: { name: 'list' }, status: 200, answer: 'VolumeSize[]' },
  berthVolumeRename: { query: { to: 'text' }, status: 200, answer: 'Volume' },
  berthVolumeClone: { query: { to: 'text' }, status: 201, answer: 'Volume' },
  berthVolumeExport: { status: 200, answer: 'tar' },
  berthVolumeImport: { body: 'tar', status: 201, answer: 'Volume' },
  berthLogsClear: done,
};
