/**
 * Every command by name. A module is loaded only when its command is used: that is what keeps the program's start short. Plain literals, too:
 * a helper that is called fifty times gets compiled, and the compiler's thread costs a tenth of the start.
 */
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

const attach: CommandEntry = {
  summary: 'Attach standard input, output and error to a running container',
  aliases: ['container attach', 'attach'],
  load: () => import('./commands/container/attach.ts'),
};
const commit: CommandEntry = {
  summary: 'Make an image of what a container has changed',
  aliases: ['container commit', 'commit'],
  load: () => import('./commands/container/commit.ts'),
};
const create: CommandEntry = {
  summary: 'Create a container without starting it',
  aliases: ['container create', 'create'],
  load: () => import('./commands/container/create.ts'),
};
const cp: CommandEntry = {
  summary: 'Copy files between a container and this machine',
  aliases: ['container cp', 'cp'],
  load: () => import('./commands/container/cp.ts'),
};
const exportContainer: CommandEntry = {
  summary: "Write a container's file system to an archive",
  aliases: ['container export', 'export'],
  load: () => import('./commands/container/export.ts'),
};
const diff: CommandEntry = {
  summary: "Show what changed in a container's files",
  aliases: ['container diff', 'diff'],
  load: () => import('./commands/container/diff.ts'),
};
const exec: CommandEntry = {
  summary: 'Run a command in a running container',
  aliases: ['container exec', 'exec'],
  load: () => import('./commands/container/exec.ts'),
};
const kill: CommandEntry = {
  summary: 'Send a signal to running containers (SIGKILL unless told otherwise)',
  aliases: ['container kill', 'kill'],
  load: () => import('./commands/container/kill.ts'),
};
const logs: CommandEntry = {
  summary: 'Show what a container has written',
  aliases: ['container logs', 'logs'],
  load: () => import('./commands/container/logs.ts'),
};
const listContainers: CommandEntry = {
  summary: 'List containers',
  aliases: ['container ls', 'container list', 'container ps', 'ps'],
  load: () => import('./commands/container/ls.ts'),
};
const pause: CommandEntry = {
  summary: 'Freeze all processes of containers',
  aliases: ['container pause', 'pause'],
  load: () => import('./commands/container/pause.ts'),
};
const port: CommandEntry = {
  summary: 'List the published ports of a container',
  aliases: ['container port', 'port'],
  load: () => import('./commands/container/port.ts'),
};
const rename: CommandEntry = {
  summary: 'Give a container another name',
  aliases: ['container rename', 'rename'],
  load: () => import('./commands/container/rename.ts'),
};
const restart: CommandEntry = {
  summary: 'Stop containers and start them again',
  aliases: ['container restart', 'restart'],
  load: () => import('./commands/container/restart.ts'),
};
const removeContainers: CommandEntry = {
  summary: 'Remove containers',
  aliases: ['container rm', 'container remove', 'rm'],
  load: () => import('./commands/container/rm.ts'),
};
const run: CommandEntry = {
  summary: 'Create a container from an image and start it',
  aliases: ['container run', 'run'],
  load: () => import('./commands/container/run.ts'),
};
const start: CommandEntry = {
  summary: 'Start stopped containers',
  aliases: ['container start', 'start'],
  load: () => import('./commands/container/start.ts'),
};
const stats: CommandEntry = {
  summary: 'Show what containers use, as it changes',
  aliases: ['container stats', 'stats'],
  load: () => import('./commands/container/stats.ts'),
};
const stop: CommandEntry = {
  summary: 'Stop running containers',
  aliases: ['container stop', 'stop'],
  load: () => import('./commands/container/stop.ts'),
};
const top: CommandEntry = {
  summary: 'Show the processes of a container',
  aliases: ['container top', 'top'],
  load: () => import('./commands/container/top.ts'),
};
const unpause: CommandEntry = {
  summary: 'Let frozen containers go on',
  aliases: ['container unpause', 'unpause'],
  load: () => import('./commands/container/unpause.ts'),
};
const update: CommandEntry = {
  summary: 'Change limits and restart policy of containers',
  aliases: ['container update', 'update'],
  load: () => import('./commands/container/update.ts'),
};
const wait: CommandEntry = {
  summary: 'Wait for containers to stop and print their exit codes',
  aliases: ['container wait', 'wait'],
  load: () => import('./commands/container/wait.ts'),
};

const history: CommandEntry = {
  summary: 'Show how an image was made, layer by layer',
  aliases: ['image history', 'history'],
  load: () => import('./commands/image/history.ts'),
};
const importImage: CommandEntry = {
  summary: 'Make an image from a file system archive',
  aliases: ['image import', 'import'],
  load: () => import('./commands/image/import.ts'),
};
const load: CommandEntry = {
  summary: 'Load images from an archive',
  aliases: ['image load', 'load'],
  load: () => import('./commands/image/load.ts'),
};
const images: CommandEntry = {
  summary: 'List images',
  aliases: ['image ls', 'image list', 'images'],
  load: () => import('./commands/image/ls.ts'),
};
const pull: CommandEntry = {
  summary: 'Fetch an image from a registry',
  aliases: ['image pull', 'pull'],
  load: () => import('./commands/image/pull.ts'),
};
const push: CommandEntry = {
  summary: 'Send an image to a registry',
  aliases: ['image push', 'push'],
  load: () => import('./commands/image/push.ts'),
};
const removeImages: CommandEntry = {
  summary: 'Remove images',
  aliases: ['image rm', 'image remove', 'rmi'],
  load: () => import('./commands/image/rm.ts'),
};
const save: CommandEntry = {
  summary: 'Write images to an archive (standard output unless told otherwise)',
  aliases: ['image save', 'save'],
  load: () => import('./commands/image/save.ts'),
};
const tag: CommandEntry = {
  summary: 'Give an image another name',
  aliases: ['image tag', 'tag'],
  load: () => import('./commands/image/tag.ts'),
};

const events: CommandEntry = {
  summary: 'Print what happens in the engine as it happens',
  aliases: ['system events', 'events'],
  load: () => import('./commands/system/events.ts'),
};
const doctor: CommandEntry = {
  summary: 'Name what this machine lacks and what it would give',
  aliases: ['doctor'],
  load: () => import('./commands/system/doctor.ts'),
};
const info: CommandEntry = {
  summary: 'Show facts about the engine and its machine',
  aliases: ['system info', 'info'],
  load: () => import('./commands/system/info.ts'),
};

const build: CommandEntry = {
  summary: 'Build an image from a Dockerfile',
  aliases: ['builder build', 'image build', 'buildx build', 'build'],
  load: () => import('./commands/build/build.ts'),
};
const pruneBuilds: CommandEntry = {
  summary: 'Remove what the build cache keeps',
  aliases: ['builder prune', 'buildx prune'],
  load: () => import('./commands/build/prune.ts'),
};

export const nouns: Record<string, NounEntry> = {
  builder: {
    summary: 'Build images',
    verbs: { build, prune: pruneBuilds },
  },
  buildx: {
    summary: 'Build images, by the names of the plugin of Docker',
    verbs: { build, prune: pruneBuilds },
  },
  container: {
    summary: 'Manage containers',
    verbs: {
      attach,
      commit,
      cp,
      create,
      diff,
      exec,
      export: exportContainer,
      inspect: {
        summary: 'Show all facts about containers',
        aliases: ['container inspect'],
        load: () => import('./commands/container/inspect.ts'),
      },
      kill,
      logs,
      ls: listContainers,
      pause,
      port,
      prune: {
        summary: 'Remove all stopped containers',
        aliases: ['container prune'],
        load: () => import('./commands/container/prune.ts'),
      },
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
  context: {
    summary: 'Manage contexts: engines by name',
    verbs: {
      create: {
        summary: 'Give an engine a name',
        aliases: ['context create'],
        load: () => import('./commands/context/create.ts'),
      },
      export: {
        summary: 'Write a context to a file',
        aliases: ['context export'],
        load: () => import('./commands/context/export.ts'),
      },
      import: {
        summary: 'Make a context out of a file',
        aliases: ['context import'],
        load: () => import('./commands/context/import.ts'),
      },
      inspect: {
        summary: 'Show all facts about contexts',
        aliases: ['context inspect'],
        load: () => import('./commands/context/inspect.ts'),
      },
      ls: {
        summary: 'List contexts',
        aliases: ['context ls', 'context list'],
        load: () => import('./commands/context/ls.ts'),
      },
      rm: {
        summary: 'Remove contexts',
        aliases: ['context rm', 'context remove'],
        load: () => import('./commands/context/rm.ts'),
      },
      show: {
        summary: 'Print the name of the context in force',
        aliases: ['context show'],
        load: () => import('./commands/context/show.ts'),
      },
      update: {
        summary: 'Change a context',
        aliases: ['context update'],
        load: () => import('./commands/context/update.ts'),
      },
      use: {
        summary: 'Choose the context in force',
        aliases: ['context use'],
        load: () => import('./commands/context/use.ts'),
      },
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
  image: {
    summary: 'Manage images',
    verbs: {
      build,
      bootstrap: {
        summary: "Make a base image from this machine's own packages",
        aliases: ['image bootstrap'],
        load: () => import('./commands/image/bootstrap.ts'),
      },
      history,
      import: importImage,
      inspect: {
        summary: 'Show all facts about images',
        aliases: ['image inspect'],
        load: () => import('./commands/image/inspect.ts'),
      },
      load,
      ls: images,
      prune: {
        summary: 'Remove images that nothing uses',
        aliases: ['image prune'],
        load: () => import('./commands/image/prune.ts'),
      },
      pull,
      push,
      rm: removeImages,
      save,
      tag,
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
  manifest: {
    summary: 'Manage lists of manifests, one for each platform',
    verbs: {
      annotate: {
        summary: 'Say what platform a manifest of a list is for',
        aliases: ['manifest annotate'],
        load: () => import('./commands/manifest/annotate.ts'),
      },
      create: {
        summary: 'Make a list of manifests, to annotate and push',
        aliases: ['manifest create'],
        load: () => import('./commands/manifest/create.ts'),
      },
      inspect: {
        summary: 'Show a manifest or a list of them',
        aliases: ['manifest inspect'],
        load: () => import('./commands/manifest/inspect.ts'),
      },
      push: {
        summary: 'Send a list of manifests to its registry',
        aliases: ['manifest push'],
        load: () => import('./commands/manifest/push.ts'),
      },
      rm: {
        summary: 'Forget lists of manifests that were made here',
        aliases: ['manifest rm'],
        load: () => import('./commands/manifest/rm.ts'),
      },
    },
  },
  network: {
    summary: 'Manage networks',
    verbs: {
      connect: {
        summary: 'Join a container to a network',
        aliases: ['network connect'],
        load: () => import('./commands/network/connect.ts'),
      },
      create: {
        summary: 'Create a network',
        aliases: ['network create'],
        load: () => import('./commands/network/create.ts'),
      },
      disconnect: {
        summary: 'Take a container out of a network',
        aliases: ['network disconnect'],
        load: () => import('./commands/network/disconnect.ts'),
      },
      inspect: {
        summary: 'Show all facts about networks',
        aliases: ['network inspect'],
        load: () => import('./commands/network/inspect.ts'),
      },
      ls: {
        summary: 'List networks',
        aliases: ['network ls', 'network list'],
        load: () => import('./commands/network/ls.ts'),
      },
      prune: {
        summary: 'Remove networks that no container uses',
        aliases: ['network prune'],
        load: () => import('./commands/network/prune.ts'),
      },
      rm: {
        summary: 'Remove networks',
        aliases: ['network rm', 'network remove'],
        load: () => import('./commands/network/rm.ts'),
      },
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
  registry: {
    summary: 'Serve a registry of your own',
    verbs: {
      namespace: {
        summary: 'Say who may do what in a namespace of the registry',
        aliases: ['registry namespace'],
        load: () => import('./commands/registry/namespace.ts'),
      },
      'garbage-collect': {
        summary: 'Free what nobody needs (a registry does so while it runs)',
        aliases: ['registry garbage-collect'],
        load: () => import('./commands/registry/garbage-collect.ts'),
      },
      serve: {
        summary: 'Serve a registry until it is stopped',
        aliases: ['registry serve'],
        load: () => import('./commands/registry/serve.ts'),
      },
      user: {
        summary: "Manage the registry's users",
        aliases: ['registry user'],
        load: () => import('./commands/registry/user.ts'),
      },
    },
  },
  service: {
    summary: 'Install the engine on this machine',
    verbs: {
      install: {
        summary: 'Let systemd run the engine, now and at each boot',
        aliases: ['service install'],
        load: () => import('./commands/service/install.ts'),
      },
      status: {
        summary: 'Show how the installed engine is doing',
        aliases: ['service status'],
        load: () => import('./commands/service/status.ts'),
      },
      uninstall: {
        summary: 'Stop the engine and take away what install made',
        aliases: ['service uninstall'],
        load: () => import('./commands/service/uninstall.ts'),
      },
    },
  },
  system: {
    summary: 'Manage the engine',
    verbs: {
      'dial-stdio': {
        summary: 'Pass standard input and output on to the engine, for engines that are reached by ssh',
        aliases: ['system dial-stdio'],
        load: () => import('./commands/system/dial-stdio.ts'),
      },
      df: {
        summary: 'Show how much room images, containers and volumes take',
        aliases: ['system df'],
        load: () => import('./commands/system/df.ts'),
      },
      events,
      info,
      prune: {
        summary: 'Remove what nothing uses: containers, networks, images',
        aliases: ['system prune'],
        load: () => import('./commands/system/prune.ts'),
      },
    },
  },
  volume: {
    summary: 'Manage volumes',
    verbs: {
      create: {
        summary: 'Create a volume',
        aliases: ['volume create'],
        load: () => import('./commands/volume/create.ts'),
      },
      inspect: {
        summary: 'Show all facts about volumes',
        aliases: ['volume inspect'],
        load: () => import('./commands/volume/inspect.ts'),
      },
      ls: {
        summary: 'List volumes',
        aliases: ['volume ls', 'volume list'],
        load: () => import('./commands/volume/ls.ts'),
      },
      clone: {
        summary: 'Make a volume with the contents of another one',
        aliases: ['volume clone'],
        load: () => import('./commands/volume/clone.ts'),
      },
      du: {
        summary: 'Show what volumes take of the disk',
        aliases: ['volume du'],
        load: () => import('./commands/volume/du.ts'),
      },
      export: {
        summary: 'Write the contents of a volume as a tar',
        aliases: ['volume export'],
        load: () => import('./commands/volume/export.ts'),
      },
      import: {
        summary: 'Make a volume out of a tar',
        aliases: ['volume import'],
        load: () => import('./commands/volume/import.ts'),
      },
      rename: {
        summary: 'Give a volume another name',
        aliases: ['volume rename'],
        load: () => import('./commands/volume/rename.ts'),
      },
      prune: {
        summary: 'Remove volumes that no container uses',
        aliases: ['volume prune'],
        load: () => import('./commands/volume/prune.ts'),
      },
      rm: {
        summary: 'Remove volumes',
        aliases: ['volume rm', 'volume remove'],
        load: () => import('./commands/volume/rm.ts'),
      },
    },
    synonyms: { list: 'ls', remove: 'rm' },
  },
};

/** The first group of the main help page, in its order. */
export const commonCommands = [
  'run',
  'exec',
  'ps',
  'build',
  'pull',
  'push',
  'images',
  'login',
  'logout',
  'version',
  'info',
];

export const topCommands: Record<string, CommandEntry> = {
  attach,
  build,
  commit,
  completion: {
    summary: 'Print a completion script for a shell',
    aliases: ['completion'],
    load: () => import('./commands/system/completion.ts'),
  },
  cp,
  create,
  diff,
  doctor,
  events,
  exec,
  export: exportContainer,
  history,
  images,
  import: importImage,
  info,
  inspect: {
    summary: 'Show all facts about containers, images, networks and volumes',
    aliases: ['inspect'],
    load: () => import('./commands/system/inspect.ts'),
  },
  kill,
  load,
  login: {
    summary: 'Remember credentials for a registry',
    aliases: ['login'],
    load: () => import('./commands/registry/login.ts'),
  },
  logout: {
    summary: 'Forget the credentials for a registry',
    aliases: ['logout'],
    load: () => import('./commands/registry/logout.ts'),
  },
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
  search: {
    summary: 'Look for images in a registry',
    aliases: ['search'],
    load: () => import('./commands/image/search.ts'),
  },
  start,
  stats,
  stop,
  tag,
  top,
  unpause,
  update,
  version: {
    summary: 'Show the versions of client and engine',
    aliases: ['version'],
    load: () => import('./commands/system/version.ts'),
  },
  wait,
};

/** Nouns that an installed plugin of the same name goes before: users have its newest version for a reason. */
export const yieldingNouns: ReadonlySet<string> = new Set(['buildx', 'compose']);
