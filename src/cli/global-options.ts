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
  tls: { kind: 'bool', hidden: true, help: 'Use TLS' },
  tlscacert: { kind: 'string', hidden: true, help: 'Certificate authority to trust', complete: 'files' },
  tlscert: { kind: 'string', hidden: true, help: 'Certificate of the client', complete: 'files' },
  tlskey: { kind: 'string', hidden: true, help: 'Key of that certificate', complete: 'files' },
  tlsverify: { kind: 'bool', hidden: true, help: 'Use TLS and check the engine' },
  version: { kind: 'bool', short: 'v', help: 'Print the version and leave' },
});
