/** Every command by name. A module is loaded only when its command is used: that is what keeps the program's start short. */
import type { Command } from './command.ts';

export interface CommandEntry {
  /** One line, no full stop. */
  summary: string;
  /** The names that lead here, the noun form first. */
  aliases: readonly string[];
  load: () => Promise<{ command: Command }>;
}

export interface NounEntry {
  summary: string;
  /** Without a verb: a help page. */
  verbs: Record<string, CommandEntry>;
  /** Second names of verbs. */
  synonyms?: Record<string, string>;
}

type Load = CommandEntry['load'];

function entry(summary: string, aliases: string, load: Load): CommandEntry {
  return { summary, aliases: aliases.split(', '), load };
}

const attach = entry(
  'Attach standard input, output and error to a running container',
  'container attach, attach',
  () => import('./commands/container/attach.ts'),
);
const create = entry(
  'Create a container without starting it',
  'container create, create',
  () => import('./commands/container/create.ts'),
);
const diff = entry(
  "Show what changed in a container's files",
  'container diff, diff',
  () => import('./commands/container/diff.ts'),
);
const exec = entry(
  'Run a command in a running container',
  'container exec, exec',
  () => import('./commands/container/exec.ts'),
);
const kill = entry(
  'Send a signal to running containers (SIGKILL unless told otherwise)',
  'container kill, kill',
  () => import('./commands/container/kill.ts'),
);
const logs = entry(
  'Show what a container has written',
  'container logs, logs',
  () => import('./commands/container/logs.ts'),
);
const listContainers = entry(
  'List containers',
  'container ls, container list, container ps, ps',
  () => import('./commands/container/ls.ts'),
);
const pause = entry(
  'Freeze all processes of containers',
  'container pause, pause',
  () => import('./commands/container/pause.ts'),
);
const port = entry(
  'List the published ports of a container',
  'container port, port',
  () => import('./commands/container/port.ts'),
);
const rename = entry(
  'Give a container another name',
  'container rename, rename',
  () => import('./commands/container/rename.ts'),
);
const restart = entry(
  'Stop containers and start them again',
  'container restart, restart',
  () => import('./commands/container/restart.ts'),
);
const removeContainers = entry(
  'Remove containers',
  'container rm, container remove, rm',
  () => import('./commands/container/rm.ts'),
);
const run = entry(
  'Create a container from an image and start it',
  'container run, run',
  () => import('./commands/container/run.ts'),
);
const start = entry(
  'Start stopped containers',
  'container start, start',
  () => import('./commands/container/start.ts'),
);
const stats = entry(
  'Show what containers use, as it changes',
  'container stats, stats',
  () => import('./commands/container/stats.ts'),
);
const stop = entry('Stop running containers', 'container stop, stop', () => import('./commands/container/stop.ts'));
const top = entry(
  'Show the processes of a container',
  'container top, top',
  () => import('./commands/container/top.ts'),
);
const unpause = entry(
  'Let frozen containers go on',
  'container unpause, unpause',
  () => import('./commands/container/unpause.ts'),
);
const update = entry(
  'Change limits and restart policy of containers',
  'container update, update',
  () => import('./commands/container/update.ts'),
);
const wait = entry(
  'Wait for containers to stop and print their exit codes',
  'container wait, wait',
  () => import('./commands/container/wait.ts'),
);

const history = entry(
  'Show how an image was made, layer by layer',
  'image history, history',
  () => import('./commands/image/history.ts'),
);
const importImage = entry(
  'Make an image from a file system archive',
  'image import, import',
  () => import('./commands/image/import.ts'),
);
const load = entry('Load images from an archive', 'image load, load', () => import('./commands/image/load.ts'));
const images = entry('List images', 'image ls, image list, images', () => import('./commands/image/ls.ts'));
const pull = entry('Fetch an image from a registry', 'image pull, pull', () => import('./commands/image/pull.ts'));
const push = entry('Send an image to a registry', 'image push, push', () => import('./commands/image/push.ts'));
const removeImages = entry('Remove images', 'image rm, image remove, rmi', () => import('./commands/image/rm.ts'));
const save = entry(
  'Write images to an archive (standard output unless told otherwise)',
  'image save, save',
  () => import('./commands/image/save.ts'),
);
const tag = entry('Give an image another name', 'image tag, tag', () => import('./commands/image/tag.ts'));

const events = entry(
  'Print what happens in the engine as it happens',
  'system events, events',
  () => import('./commands/system/events.ts'),
);
const info = entry(
  'Show facts about the engine and its machine',
  'system info, info',
  () => import('./commands/system/info.ts'),
);

export const nouns: Record<string, NounEntry> = {
  container: {
    summary: 'Manage containers',
    verbs: {
      attach,
      create,
      diff,
      exec,
      inspect: entry(
        'Show all facts about containers',
        'container inspect',
        () => import('./commands/container/inspect.ts'),
      ),
      kill,
      logs,
      ls: listContainers,
      pause,
      port,
      prune: entry('Remove all stopped containers', 'container prune', () => import('./commands/container/prune.ts')),
      rename,
      restart,
      rm: removeContainers,
      run,
      start,
      stats,
      stop,
      top,
      unpause,
      update,
      wait,
    },
    synonyms: { list: 'ls', ps: 'ls', remove: 'rm' },
  },
  image: {
    summary: 'Manage images',
    verbs: {
      bootstrap: entry(
        "Make a base image from this machine's own packages",
        'image bootstrap',
        () => import('./commands/image/bootstrap.ts'),
      ),
      history,
      import: importImage,
      inspect: entry('Show all facts about images', 'image inspect', () => import('./commands/image/inspect.ts')),
      load,
      ls: images,
      prune: entry('Remove images that nothing uses', 'image prune', () => import('./commands/image/prune.ts')),
      pull,
      push,
      rm: removeImages,
      save,
      tag,
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
  network: {
    summary: 'Manage networks',
    verbs: {
      connect: entry('Join a container to a network', 'network connect', () => import('./commands/network/connect.ts')),
      create: entry('Create a network', 'network create', () => import('./commands/network/create.ts')),
      disconnect: entry(
        'Take a container out of a network',
        'network disconnect',
        () => import('./commands/network/disconnect.ts'),
      ),
      inspect: entry('Show all facts about networks', 'network inspect', () => import('./commands/network/inspect.ts')),
      ls: entry('List networks', 'network ls, network list', () => import('./commands/network/ls.ts')),
      prune: entry(
        'Remove networks that no container uses',
        'network prune',
        () => import('./commands/network/prune.ts'),
      ),
      rm: entry('Remove networks', 'network rm, network remove', () => import('./commands/network/rm.ts')),
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
  system: {
    summary: 'Manage the engine',
    verbs: {
      df: entry(
        'Show how much room images, containers and volumes take',
        'system df',
        () => import('./commands/system/df.ts'),
      ),
      events,
      info,
    },
  },
  volume: {
    summary: 'Manage volumes',
    verbs: {
      create: entry('Create a volume', 'volume create', () => import('./commands/volume/create.ts')),
      inspect: entry('Show all facts about volumes', 'volume inspect', () => import('./commands/volume/inspect.ts')),
      ls: entry('List volumes', 'volume ls, volume list', () => import('./commands/volume/ls.ts')),
      prune: entry('Remove volumes that no container uses', 'volume prune', () => import('./commands/volume/prune.ts')),
      rm: entry('Remove volumes', 'volume rm, volume remove', () => import('./commands/volume/rm.ts')),
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
};

/** The first group of the main help page, in its order. */
export const commonCommands = ['run', 'exec', 'ps', 'pull', 'push', 'images', 'login', 'logout', 'version', 'info'];

export const topCommands: Record<string, CommandEntry> = {
  attach,
  completion: entry(
    'Print a completion script for a shell',
    'completion',
    () => import('./commands/system/completion.ts'),
  ),
  create,
  diff,
  events,
  exec,
  history,
  images,
  import: importImage,
  info,
  inspect: entry(
    'Show all facts about containers, images, networks and volumes',
    'inspect',
    () => import('./commands/system/inspect.ts'),
  ),
  kill,
  load,
  login: entry('Remember credentials for a registry', 'login', () => import('./commands/registry/login.ts')),
  logout: entry('Forget the credentials for a registry', 'logout', () => import('./commands/registry/logout.ts')),
  logs,
  pause,
  port,
  ps: listContainers,
  pull,
  push,
  rename,
  restart,
  rm: removeContainers,
  rmi: removeImages,
  run,
  save,
  start,
  stats,
  stop,
  tag,
  top,
  unpause,
  update,
  version: entry('Show the versions of client and engine', 'version', () => import('./commands/system/version.ts')),
  wait,
};
