/** Credentials for registries: from config.json, or from the helper programs that it names (docker-credential-NAME). */
import { BerthError } from '../../api/errors.ts';
import type { AuthConfig } from '../../api/types/image.ts';
import type { Cli } from '../command.ts';

/** The key of Docker Hub in config.json. */
const hubKey = 'https://index.docker.io/v1/';

/** The key under which a registry's credentials are kept. */
export function registryKey(domain: string): string {
  return domain === 'docker.io' || domain === 'index.docker.io' ? hubKey : domain;
}

/** The helper that keeps this registry's credentials; undefined: config.json itself. */
export function helperFor(cli: Cli, key: string): string | undefined {
  return cli.config.credHelpers?.[key] ?? (cli.config.credsStore || undefined);
}

/** Undefined: none are known. */
async function findCredentials(cli: Cli, domain: string): Promise<Partial<AuthConfig> | undefined> {
  const key = registryKey(domain);
  const helper = helperFor(cli, key);
  if (helper) return askHelper(helper, key);
  const auths = cli.config.auths ?? {};
  const entry = auths[key] ?? Object.entries(auths).find(([name]) => bareHost(name) === bareHost(key))?.[1];
  if (!entry) return undefined;
  const [username = '', ...rest] = Buffer.from(entry.auth ?? '', 'base64')
    .toString()
    .split(':');
  return {
    username,
    password: rest.join(':').replace(/\0+$/, ''),
    serveraddress: key,
    ...(entry.identitytoken && { identitytoken: entry.identitytoken }),
    ...(entry.registrytoken && { registrytoken: entry.registrytoken }),
  };
}

/** The value of `X-Registry-Auth` for an image; undefined without credentials. */
export async function registryAuthHeader(cli: Cli, domain: string): Promise<string | undefined> {
  const credentials = await findCredentials(cli, domain);
  return credentials && Buffer.from(JSON.stringify(credentials)).toString('base64url');
}

/** All credentials that are known, by the registry's host. */
export async function registryConfig(cli: Cli): Promise<Record<string, Partial<AuthConfig>>> {
  const { auths, credHelpers, credsStore } = cli.config;
  const kept = credsStore ? await listHelper(credsStore) : [];
  const names = new Set([...Object.keys(auths ?? {}), ...Object.keys(credHelpers ?? {}), ...kept]);
  const found: Record<string, Partial<AuthConfig>> = {};
  for (const name of names) {
    // A helper that is not there is no reason not to build.
    const credentials = await findCredentials(cli, name).catch(() => undefined);
    if (credentials) found[bareHost(name)] = credentials;
  }
  return found;
}

/** The registries that a helper knows; one that is not there knows none. */
async function listHelper(helper: string): Promise<string[]> {
  const { status, output } = await runHelper(helper, 'list', '').catch(() => ({ status: 1, output: '' }));
  return status === 0 ? Object.keys(JSON.parse(output) as Record<string, string>) : [];
}

/** `https://host/v1/` as `host`. */
function bareHost(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

async function askHelper(helper: string, key: string): Promise<Partial<AuthConfig> | undefined> {
  const { status, output } = await runHelper(helper, 'get', key);
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw new BerthError(
      'internal',
      `error getting credentials - err: exit status ${status}, out: \`${output.trim()}\``,
    );
  }
  const { Username, Secret } = JSON.parse(output) as { Username: string; Secret: string };
  if (Username === '<token>') return { identitytoken: Secret, serveraddress: key };
  return { username: Username, password: Secret, serveraddress: key };
}

/** Error: `unavailable` where the helper is not installed. */
export async function runHelper(
  helper: string,
  action: 'get' | 'store' | 'erase' | 'list',
  input: string,
): Promise<{ status: number; output: string }> {
  const program = Bun.which(`docker-credential-${helper}`, { PATH: process.env['PATH'] ?? '' });
  if (!program)
    throw new BerthError(
      'unavailable',
      `error getting credentials - err: exec: "docker-credential-${helper}": executable file not found in $PATH, out: \`\``,
    );
  const child = Bun.spawn([program, action], {
    stdin: new TextEncoder().encode(input),
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const output = await new Response(child.stdout).text();
  return { status: await child.exited, output };
}
