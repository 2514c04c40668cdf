/** `--docker host=…,ca=…,cert=…,key=…,skip-tls-verify=…` of `context create` and `update`. */
import { readFile } from 'node:fs/promises';
import { BerthError, systemReason } from '../../api/errors.ts';
import type { Cli } from '../command.ts';
import { engineAddress } from '../config/host.ts';
import { type ContextMeta, type ContextStore, defaultContext, type TlsFiles } from './store.ts';

export const dockerEndpointOption = {
  kind: 'list',
  value: 'stringToString',
  help: 'The engine: host=tcp://…,ca=FILE,cert=FILE,key=FILE,skip-tls-verify=true, or from=CONTEXT',
} as const;

const tlsKeys: Record<string, string> = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };

export interface DockerEndpoint {
  endpoint: NonNullable<ContextMeta['Endpoints']['docker']>;
  tls: TlsFiles;
}

/** Reads the option's values into the endpoint and the certificates that it names. Error: `invalid` in Docker's words. */
export async function readEndpointSettings(
  cli: Cli,
  store: ContextStore,
  values: readonly string[],
): Promise<DockerEndpoint> {
  const settings = new Map<string, string>();
  for (const pair of values.flatMap((value) => value.split(','))) {
    const [key = '', ...rest] = pair.split('=');
    if (!['host', 'from', 'skip-tls-verify', ...Object.keys(tlsKeys)].includes(key))
      throw new BerthError('invalid', `unable to create docker endpoint config: unrecognized config key: ${key}`);
    settings.set(key, rest.join('='));
  }
  const from = settings.get('from');
  if (from !== undefined) return await endpointOf(cli, store, from);
  const host = settings.get('host') ?? '';
  if (host !== '' && !/^(unix|tcp|ssh|fd|npipe):\/\/./.test(host))
    throw new BerthError(
      'invalid',
      `unable to create docker endpoint config: unable to apply docker endpoint options: unable to parse docker host \`${host}\``,
    );
  const tls: TlsFiles = {};
  for (const [key, file] of Object.entries(tlsKeys)) {
    const path = settings.get(key);
    if (path)
      tls[file] = await readFile(path, 'utf8').catch((cause: unknown) => {
        throw new BerthError(
          'invalid',
          `unable to create docker endpoint config: open ${path}: ${systemReason(cause)}`,
          { cause },
        );
      });
  }
  const SkipTLSVerify = /^(true|1|t)$/i.test(settings.get('skip-tls-verify') ?? '');
  return { endpoint: { Host: host, SkipTLSVerify }, tls };
}

/** The engine of a context, `default` included. */
export async function endpointOf(cli: Cli, store: ContextStore, name: string): Promise<DockerEndpoint> {
  if (name === defaultContext)
    return { endpoint: { Host: engineAddress(cli.environment), SkipTLSVerify: false }, tls: {} };
  const { Endpoints } = await store.read(name);
  return { endpoint: Endpoints.docker ?? {}, tls: await store.tls(name) };
}
