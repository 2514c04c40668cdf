/** Which engine is meant: `-H`, BERTH_HOST, DOCKER_HOST, then a context, then the machine's own engine. */
import { BerthError } from '../../api/errors.ts';
import type { ConfigFile } from './config-file.ts';

const defaultHost = 'unix:///run/berth/berth.sock';

export interface HostChoice {
  /** `-H`; at most one. */
  hosts: readonly string[];
  /** `-c`; empty: not given. */
  context: string;
  environment: Record<string, string | undefined>;
  configDirectory: string;
  config: ConfigFile;
}

export interface ChosenHost {
  host: string;
  /** The context that it comes from; `default` for all else. */
  context: string;
}

/** Errors: `invalid` for more than one host, host and context at once; `not-found` for an unknown context. */
export async function chooseHost(choice: HostChoice): Promise<ChosenHost> {
  const { hosts, environment } = choice;
  if (hosts.length > 1) throw new BerthError('invalid', 'Specify only one -H');
  if (hosts.length === 1 && choice.context)
    throw new BerthError('invalid', 'conflicting options: cannot specify both --host and --context');
  const named = (hosts[0] ?? '').trim();
  if (named) return { host: withScheme(named), context: 'default' };
  if (choice.context) return contextHost(choice, choice.context);
  const fromEnvironment = environment['BERTH_HOST'] || environment['DOCKER_HOST'];
  if (fromEnvironment) return { host: withScheme(fromEnvironment), context: 'default' };
  const context = environment['DOCKER_CONTEXT'] || choice.config.currentContext;
  return context ? contextHost(choice, context) : { host: defaultHost, context: 'default' };
}

/** `host:port` alone means TCP, a path alone a unix socket. */
function withScheme(host: string): string {
  if (host.includes('://')) return host === 'unix://' ? defaultHost : host;
  return host.startsWith('/') ? `unix://${host}` : `tcp://${host}`;
}

async function contextHost(choice: HostChoice, name: string): Promise<ChosenHost> {
  if (name === 'default') return { host: defaultHost, context: name };
  const digest = new Bun.CryptoHasher('sha256').update(name).digest('hex');
  const file = Bun.file(`${choice.configDirectory}/contexts/meta/${digest}/meta.json`);
  if (file.size === 0)
    throw new BerthError('not-found', `context ${JSON.stringify(name)}: context not found`, {
      hint: 'Contexts are the folders below contexts/meta of the configuration directory.',
    });
  const meta = (await file.json()) as { Endpoints?: { docker?: { Host?: string } } };
  return { host: withScheme(meta.Endpoints?.docker?.Host || defaultHost), context: name };
}
