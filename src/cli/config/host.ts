/** Which engine is meant: `-H`, BERTH_HOST, DOCKER_HOST, then a context, then the machine's own engine. */
import { BerthError, errorKind, errorMessage } from '../../api/errors.ts';
import type { ConfigFile } from './config-file.ts';

export const defaultHost = 'unix:///run/berth/berth.sock';

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
  /** Of the context: how its engine is trusted. Absent: what flags and environment say. */
  contextTls?: ContextTls;
}

export interface ContextTls {
  files: Record<string, string>;
  skipVerify: boolean;
}

/** Errors: `invalid` for more than one host, host and context at once; `not-found` for an unknown context. */
export async function chooseHost(choice: HostChoice): Promise<ChosenHost> {
  const { hosts, environment } = choice;
  if (hosts.length > 1) throw new BerthError('invalid', 'Specify only one -H');
  if (hosts.length === 1 && choice.context)
    throw new BerthError('invalid', 'conflicting options: cannot specify both --host and --context');
  const named = (hosts[0] ?? '').trim();
  if (named) return { host: withScheme(named), context: 'default' };
  const context = currentContext(choice);
  return context === 'default' ? { host: engineAddress(environment), context } : contextHost(choice, context);
}

/** The context in force: a host in the environment goes before the one that was chosen for good. */
export function currentContext({
  context,
  environment,
  config,
}: Pick<HostChoice, 'context' | 'environment' | 'config'>): string {
  if (context) return context;
  if (environment['BERTH_HOST'] || environment['DOCKER_HOST']) return 'default';
  return environment['DOCKER_CONTEXT'] || config.currentContext || 'default';
}

/** What the context `default` stands for. */
export function engineAddress(environment: Record<string, string | undefined>): string {
  const host = environment['BERTH_HOST'] || environment['DOCKER_HOST'];
  return host ? withScheme(host) : defaultHost;
}

/** `host:port` alone means TCP, a path alone a unix socket. */
function withScheme(host: string): string {
  if (host.includes('://')) return host === 'unix://' ? defaultHost : host;
  return host.startsWith('/') ? `unix://${host}` : `tcp://${host}`;
}

async function contextHost(choice: HostChoice, name: string): Promise<ChosenHost> {
  const { ContextStore } = await import('../contexts/store.ts');
  const store = new ContextStore(choice.configDirectory);
  const { Endpoints } = await store.read(name).catch((cause: unknown) => {
    throw new BerthError(
      errorKind(cause),
      `Failed to initialize: unable to resolve docker endpoint: ${errorMessage(cause)}`,
      { cause },
    );
  });
  const host = withScheme(Endpoints.docker?.Host || defaultHost);
  return {
    host,
    context: name,
    contextTls: {
      files: host.startsWith('unix://') ? {} : await store.tls(name),
      skipVerify: Endpoints.docker?.SkipTLSVerify ?? false,
    },
  };
}
