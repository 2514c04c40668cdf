/** `--use-api-socket`: a container that may speak to the engine, with the user's credentials for registries. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeContainerArchive } from '../client/containers/archive.ts';
import type { ContainerCreateBody } from '../client/containers/create.ts';
import type { Cli } from './command.ts';
import type { ConfigFile } from './config/config-file.ts';
import { registryConfig } from './config/credentials.ts';
import { defaultHost } from './config/host.ts';
import { packLocal } from './copy/local-tar.ts';

/** Where programs in the container look for the engine. */
const socketInside = '/var/run/docker.sock';
const configDirectoryInside = '/run/secrets/docker';

/**
 * Changes the request so that the engine's socket is mounted, and reads the credentials, so that what is wrong with them is told before
 * anything is made. Gives what is to be done with the container that was made.
 */
export async function lendApiSocket(cli: Cli, body: ContainerCreateBody): Promise<(id: string) => Promise<void>> {
  const host = cli.client.host.startsWith('unix://') ? cli.client.host : defaultHost;
  const mount = { Type: 'bind', Source: host.slice('unix://'.length), Target: socketInside, BindOptions: {} };
  body.HostConfig = { ...body.HostConfig, Mounts: [...(body.HostConfig?.Mounts ?? []), mount] };
  if (!body.Env?.some((entry) => entry.startsWith('DOCKER_CONFIG=')))
    body.Env = [...(body.Env ?? []), `DOCKER_CONFIG=${configDirectoryInside}`];
  const auths = await storedForm(cli);
  return async (id) => {
    if (Object.keys(auths).length > 0) await putConfig(cli, id, auths);
  };
}

/** As config.json keeps them. */
type Auths = NonNullable<ConfigFile['auths']>;

async function storedForm(cli: Cli): Promise<Auths> {
  const auths: Auths = {};
  for (const [host, credentials] of Object.entries(await registryConfig(cli))) {
    const { username = '', password = '', serveraddress = host, identitytoken, registrytoken } = credentials;
    auths[serveraddress] = {
      ...(username !== '' && { auth: Buffer.from(`${username}:${password}`).toString('base64') }),
      ...(identitytoken && { identitytoken }),
      ...(registrytoken && { registrytoken }),
    };
  }
  return auths;
}

async function putConfig(cli: Cli, id: string, auths: Auths): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-config-'));
  try {
    await writeFile(join(directory, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
    const upload = packLocal(directory, 'config.json', `${configDirectoryInside.slice(1)}/config.json`);
    await writeContainerArchive(cli.client, id, { path: '/', upload });
  } finally {
    await rm(directory, { recursive: true });
  }
}
