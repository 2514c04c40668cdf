import { defineOptions } from './grammar/options.ts';

/** The options in front of the command. */
export const globalOptions = defineOptions({
  config: { kind: 'string', help: 'Folder of the client configuration (default: ~/.docker)', complete: 'files' },
  context: {
    kind: 'string',
    short: 'c',
    help: 'Context that names the engine (instead of DOCKER_HOST or the current context)',
  },
  debug: { kind: 'bool', short: 'D', help: 'Say more about errors' },
  host: { kind: 'list', short: 'H', help: 'Where the engine listens: unix://PATH or tcp://HOST:PORT' },
  'log-level': {
    kind: 'string',
    short: 'l',
    default: 'info',
    help: 'How much to log: debug, info, warn, error or fatal',
  },
  tls: { kind: 'bool', help: 'Use TLS', hidden: true },
  version: { kind: 'bool', short: 'v', help: 'Print the version and leave' },
});
