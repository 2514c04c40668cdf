/**
 * Every route of the API, once. Handlers bind by name, the client builds its requests from here, the reference is generated from here.
 * Paths are without the `/v1.xx` prefix. `{name...}` takes slashes too.
 */

export interface Route {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  /** First minor version that has it (the client's own check; older requests are served all the same, as dockerd does). */
  readonly since?: number;
  /** What it does, for the reference. */
  readonly summary: string;
  /** The answer is refused for good: kind and words. */
  readonly refused?: { readonly kind: 'unavailable' | 'not-implemented' | 'not-found'; readonly message: string };
}

const notManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const noSwarm = { kind: 'unavailable', message: notManager } as const;
const noPlugins = {
  kind: 'not-implemented',
  message: 'Berth does not run managed plugins; see `berth doctor` for what takes their place',
} as const;
const noCheckpoints = {
  kind: 'not-implemented',
  message: 'checkpoints are not supported by this engine',
} as const;

export const routes = [
  { name: 'ping', method: 'GET', path: '/_ping', summary: 'Answers OK' },
  { name: 'pingHead', method: 'HEAD', path: '/_ping', summary: 'Answers with the headers of ping' },
  { name: 'version', method: 'GET', path: '/version', summary: 'Version of the engine and its parts' },
  { name: 'info', method: 'GET', path: '/info', summary: 'State of the engine and the host' },
  { name: 'events', method: 'GET', path: '/events', summary: 'Streams what happens' },
  { name: 'diskUsage', method: 'GET', path: '/system/df', since: 25, summary: 'Disk usage' },
  { name: 'authenticate', method: 'POST', path: '/auth', summary: 'Checks credentials with a registry' },

  { name: 'containerList', method: 'GET', path: '/containers/json', summary: 'Lists containers' },
  { name: 'containerCreate', method: 'POST', path: '/containers/create', summary: 'Creates a container' },
  {
    name: 'containerPrune',
    method: 'POST',
    path: '/containers/prune',
    since: 25,
    summary: 'Removes stopped containers',
  },
  {
    name: 'containerInspect',
    method: 'GET',
    path: '/containers/{id...}/json',
    summary: 'Everything about a container',
  },
  { name: 'containerTop', method: 'GET', path: '/containers/{id...}/top', summary: 'Processes of a container' },
  { name: 'containerLogs', method: 'GET', path: '/containers/{id...}/logs', summary: 'Output of a container' },
  {
    name: 'containerChanges',
    method: 'GET',
    path: '/containers/{id...}/changes',
    summary: 'Files that differ from the image',
  },
  {
    name: 'containerExport',
    method: 'GET',
    path: '/containers/{id...}/export',
    summary: 'The root file system as a tar',
  },
  { name: 'containerStats', method: 'GET', path: '/containers/{id...}/stats', summary: 'Resource usage' },
  { name: 'containerResize', method: 'POST', path: '/containers/{id...}/resize', summary: 'Sets the terminal size' },
  { name: 'containerStart', method: 'POST', path: '/containers/{id...}/start', summary: 'Starts a container' },
  { name: 'containerStop', method: 'POST', path: '/containers/{id...}/stop', summary: 'Stops a container' },
  {
    name: 'containerRestart',
    method: 'POST',
    path: '/containers/{id...}/restart',
    summary: 'Stops and starts a container',
  },
  { name: 'containerKill', method: 'POST', path: '/containers/{id...}/kill', summary: 'Sends a signal' },
  { name: 'containerUpdate', method: 'POST', path: '/containers/{id...}/update', since: 22, summary: 'Changes limits' },
  { name: 'containerRename', method: 'POST', path: '/containers/{id...}/rename', summary: 'Renames a container' },
  { name: 'containerPause', method: 'POST', path: '/containers/{id...}/pause', summary: 'Freezes a container' },
  { name: 'containerUnpause', method: 'POST', path: '/containers/{id...}/unpause', summary: 'Thaws a container' },
  { name: 'containerAttach', method: 'POST', path: '/containers/{id...}/attach', summary: 'Connects to the streams' },
  {
    name: 'containerAttachWebsocket',
    method: 'GET',
    path: '/containers/{id...}/attach/ws',
    summary: 'Connects to the streams by WebSocket',
  },
  { name: 'containerWait', method: 'POST', path: '/containers/{id...}/wait', summary: 'Waits for an exit' },
  {
    name: 'checkpointRemove',
    method: 'DELETE',
    path: '/containers/{id...}/checkpoints/{checkpoint}',
    summary: 'Removes a checkpoint',
    refused: noCheckpoints,
  },
  { name: 'containerRemove', method: 'DELETE', path: '/containers/{id...}', summary: 'Removes a container' },
  { name: 'containerArchiveStat', method: 'HEAD', path: '/containers/{id...}/archive', summary: 'Facts of a path' },
  { name: 'containerArchiveRead', method: 'GET', path: '/containers/{id...}/archive', summary: 'Files as a tar' },
  { name: 'containerArchiveWrite', method: 'PUT', path: '/containers/{id...}/archive', summary: 'Unpacks a tar' },
  {
    name: 'checkpointList',
    method: 'GET',
    path: '/containers/{id...}/checkpoints',
    summary: 'Lists checkpoints',
    refused: noCheckpoints,
  },
  {
    name: 'checkpointCreate',
    method: 'POST',
    path: '/containers/{id...}/checkpoints',
    summary: 'Creates a checkpoint',
    refused: noCheckpoints,
  },

  {
    name: 'execCreate',
    method: 'POST',
    path: '/containers/{id...}/exec',
    summary: 'Prepares a process in a container',
  },
  { name: 'execStart', method: 'POST', path: '/exec/{id...}/start', summary: 'Runs it' },
  { name: 'execResize', method: 'POST', path: '/exec/{id...}/resize', summary: 'Sets its terminal size' },
  { name: 'execInspect', method: 'GET', path: '/exec/{id...}/json', summary: 'State of it' },

  { name: 'imageList', method: 'GET', path: '/images/json', summary: 'Lists images' },
  { name: 'imageCreate', method: 'POST', path: '/images/create', summary: 'Pulls or imports an image' },
  { name: 'imageSearch', method: 'GET', path: '/images/search', summary: 'Searches Docker Hub' },
  { name: 'imageSaveMany', method: 'GET', path: '/images/get', summary: 'Images as a tar' },
  { name: 'imageLoad', method: 'POST', path: '/images/load', summary: 'Reads a tar of images' },
  { name: 'imagePrune', method: 'POST', path: '/images/prune', since: 25, summary: 'Removes unused images' },
  { name: 'imageSave', method: 'GET', path: '/images/{name...}/get', summary: 'An image as a tar' },
  { name: 'imageHistory', method: 'GET', path: '/images/{name...}/history', summary: 'Layers of an image' },
  { name: 'imageInspect', method: 'GET', path: '/images/{name...}/json', summary: 'Everything about an image' },
  { name: 'imagePush', method: 'POST', path: '/images/{name...}/push', summary: 'Pushes an image' },
  { name: 'imageTag', method: 'POST', path: '/images/{name...}/tag', summary: 'Gives an image a name' },
  { name: 'imageRemove', method: 'DELETE', path: '/images/{name...}', summary: 'Removes names and images' },
  { name: 'imageCommit', method: 'POST', path: '/commit', summary: 'Makes an image of a container' },
  {
    name: 'distributionInspect',
    method: 'GET',
    path: '/distribution/{name...}/json',
    since: 30,
    summary: 'Asks a registry about an image',
  },

  { name: 'build', method: 'POST', path: '/build', summary: 'Builds an image' },
  { name: 'buildPrune', method: 'POST', path: '/build/prune', since: 31, summary: 'Empties the build cache' },
  { name: 'buildCancel', method: 'POST', path: '/build/cancel', since: 39, summary: 'Stops a build' },
  { name: 'session', method: 'POST', path: '/session', since: 39, summary: 'A build session' },
  { name: 'grpc', method: 'POST', path: '/grpc', since: 39, summary: 'gRPC over a hijacked connection' },

  { name: 'networkList', method: 'GET', path: '/networks', summary: 'Lists networks' },
  { name: 'networkListSlash', method: 'GET', path: '/networks/', summary: 'Lists networks' },
  { name: 'networkInspect', method: 'GET', path: '/networks/{id...}', summary: 'Everything about a network' },
  { name: 'networkCreate', method: 'POST', path: '/networks/create', summary: 'Creates a network' },
  { name: 'networkPrune', method: 'POST', path: '/networks/prune', since: 25, summary: 'Removes unused networks' },
  { name: 'networkConnect', method: 'POST', path: '/networks/{id...}/connect', summary: 'Connects a container' },
  {
    name: 'networkDisconnect',
    method: 'POST',
    path: '/networks/{id...}/disconnect',
    summary: 'Disconnects a container',
  },
  { name: 'networkRemove', method: 'DELETE', path: '/networks/{id...}', summary: 'Removes a network' },

  { name: 'volumeList', method: 'GET', path: '/volumes', summary: 'Lists volumes' },
  { name: 'volumeInspect', method: 'GET', path: '/volumes/{name...}', summary: 'Everything about a volume' },
  { name: 'volumeCreate', method: 'POST', path: '/volumes/create', summary: 'Creates a volume' },
  { name: 'volumePrune', method: 'POST', path: '/volumes/prune', since: 25, summary: 'Removes unused volumes' },
  {
    name: 'volumeUpdate',
    method: 'PUT',
    path: '/volumes/{name...}',
    since: 42,
    summary: 'Changes a cluster volume',
    refused: noSwarm,
  },
  { name: 'volumeRemove', method: 'DELETE', path: '/volumes/{name...}', summary: 'Removes a volume' },

  { name: 'pluginList', method: 'GET', path: '/plugins', since: 25, summary: 'Lists managed plugins (always none)' },
  {
    name: 'pluginPrivileges',
    method: 'GET',
    path: '/plugins/privileges',
    since: 25,
    summary: 'Privileges of a plugin',
    refused: noPlugins,
  },
  {
    name: 'pluginInspect',
    method: 'GET',
    path: '/plugins/{name...}/json',
    since: 25,
    summary: 'Everything about a plugin',
  },
  {
    name: 'pluginChange',
    method: 'POST',
    path: '/plugins/{name...}',
    since: 25,
    summary: 'Changes a plugin',
    refused: noPlugins,
  },
  {
    name: 'pluginRemove',
    method: 'DELETE',
    path: '/plugins/{name...}',
    since: 25,
    summary: 'Removes a plugin',
    refused: noPlugins,
  },

  { name: 'swarmInspect', method: 'GET', path: '/swarm', summary: 'Swarm', refused: noSwarm },
  { name: 'swarmUnlockKey', method: 'GET', path: '/swarm/unlockkey', summary: 'Swarm', refused: noSwarm },
  {
    name: 'swarmInit',
    method: 'POST',
    path: '/swarm/init',
    summary: 'Swarm',
    refused: { kind: 'unavailable', message: 'Swarm mode is not supported by this engine' },
  },
  {
    name: 'swarmJoin',
    method: 'POST',
    path: '/swarm/join',
    summary: 'Swarm',
    refused: { kind: 'unavailable', message: 'Swarm mode is not supported by this engine' },
  },
  {
    name: 'swarmLeave',
    method: 'POST',
    path: '/swarm/leave',
    summary: 'Swarm',
    refused: { kind: 'unavailable', message: 'This node is not part of a swarm' },
  },
  { name: 'swarmUpdate', method: 'POST', path: '/swarm/update', summary: 'Swarm', refused: noSwarm },
  { name: 'swarmUnlock', method: 'POST', path: '/swarm/unlock', summary: 'Swarm', refused: noSwarm },
  ...swarmNouns('services'),
  ...swarmNouns('nodes'),
  ...swarmNouns('tasks'),
  ...swarmNouns('secrets'),
  ...swarmNouns('configs'),

  {
    name: 'berthImageBootstrap',
    method: 'POST',
    path: '/berth/v1/images/bootstrap',
    summary: 'Makes a base image from Debian packages of the host',
  },
  {
    name: 'berthManifestInspect',
    method: 'GET',
    path: '/berth/v1/manifests/{name...}',
    summary: 'A manifest as its registry has it',
  },
  {
    name: 'berthManifestPush',
    method: 'PUT',
    path: '/berth/v1/manifests/{name...}',
    summary: 'Stores a list of manifests at a registry',
  },
  { name: 'berthBuild', method: 'POST', path: '/berth/v1/build', summary: 'Builds an image, files as they are needed' },
  {
    name: 'berthVolumeSizes',
    method: 'GET',
    path: '/berth/v1/volumes/sizes',
    summary: 'What volumes take of the disk',
  },
  {
    name: 'berthVolumeRename',
    method: 'POST',
    path: '/berth/v1/volumes/{name}/rename',
    summary: 'Gives a volume another name',
  },
  { name: 'berthVolumeClone', method: 'POST', path: '/berth/v1/volumes/{name}/clone', summary: 'Copies a volume' },
  { name: 'berthVolumeExport', method: 'GET', path: '/berth/v1/volumes/{name}/export', summary: 'A volume as a tar' },
  {
    name: 'berthVolumeImport',
    method: 'POST',
    path: '/berth/v1/volumes/{name}/import',
    summary: 'A volume out of a tar',
  },
  {
    name: 'berthLogsClear',
    method: 'POST',
    path: '/berth/v1/containers/{id}/logs/clear',
    summary: 'Forgets what a container has written',
  },
] as const satisfies readonly Route[];

/** Services, nodes and the like need a manager whatever is asked of them. */
function swarmNouns<N extends string>(noun: N) {
  return [
    { name: `${noun}List`, method: 'GET', path: `/${noun}`, summary: 'Swarm', refused: noSwarm },
    { name: `${noun}Get`, method: 'GET', path: `/${noun}/{rest...}`, summary: 'Swarm', refused: noSwarm },
    { name: `${noun}Post`, method: 'POST', path: `/${noun}/{rest...}`, summary: 'Swarm', refused: noSwarm },
    { name: `${noun}Delete`, method: 'DELETE', path: `/${noun}/{rest...}`, summary: 'Swarm', refused: noSwarm },
  ] as const;
}

export type RouteName = (typeof routes)[number]['name'];
