/**
 * What Docker's registry is told by its configuration file and by REGISTRY_… variables (https://distribution.github.io/distribution/about/configuration/):
 * what has a meaning here is taken, what a registry would have to obey and cannot is refused, the rest is named.
 */
import { readFile } from 'node:fs/promises';
import { ExitStatus } from './command.ts';

/** `http.addr` → its value, as text. */
export interface RegistryConfiguration {
  values: ReadonlyMap<string, string>;
  /** Keys that were given and change nothing, with where they stand. */
  ignored: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const taken: readonly string[] = [
  'version',
  'log.level',
  'loglevel',
  'storage.filesystem.rootdirectory',
  'storage.delete.enabled',
  'storage.maintenance.uploadpurging.enabled',
  'storage.maintenance.uploadpurging.age',
  'auth.htpasswd.path',
  'http.addr',
  'http.tls.certificate',
  'http.tls.key',
  'proxy.remoteurl',
  'proxy.username',
  'proxy.password',
];

/** Of these nothing is missed: how it is done is our own business. */
const needless =
  /^(?:storage$|auth$|log\.(?:fields|formatter|accesslog)\b|storage\.(?:cache|redirect|tag|filesystem\.maxthreads|filesystem$|delete$)|storage\.maintenance\.uploadpurging\.(?:interval|dryrun)|storage\.maintenance\.readonly\.enabled$|auth\.htpasswd(?:\.realm)?$|http\.(?:secret|host|relativeurls|draintimeout|http2|net|prefix)\b|http\.headers\.x-content-type-options$|health\b|compatibility\b|proxy\.ttl$|catalog\b)/;

/** Why a key is refused; null: it is not. */
function refusal(key: string, value: string): string | null {
  const driver = key === 'storage' ? value : /^storage\.([^.]+)/.exec(key)?.[1];
  if (driver !== undefined && !['filesystem', 'cache', 'delete', 'maintenance', 'redirect', 'tag'].includes(driver))
    return `there is no storage ${JSON.stringify(driver)} here, only the file system`;
  const scheme = key === 'auth' && value !== '' ? value : /^auth\.([^.]+)/.exec(key)?.[1];
  if (scheme !== undefined && scheme !== 'htpasswd')
    return 'there are only accounts (berth registry user add) and auth.htpasswd';
  if (key === 'storage.maintenance.readonly.enabled' && value === 'true') return 'a registry here takes pushes';
  if (key === 'storage.maintenance.readonly' && value === 'true') return 'a registry here takes pushes';
  if (key.startsWith('http.tls.clientcas')) return 'certificates of clients are not asked for';
  if (key.startsWith('http.tls.letsencrypt')) return 'give a certificate, or --tls-self-signed';
  if (key === 'http.net' && value !== '' && value !== 'tcp') return 'it listens on TCP';
  if (key === 'http.prefix' && value !== '' && value !== '/') return 'the API is at /v2/';
  return null;
}

/**
 * A file, and the environment's variables above it.
 * @param path empty: no file. Error: exit status 1 for a file that cannot be read, and for a key that must not be passed over.
 */
export async function readRegistryConfiguration(
  path: string,
  environment: Environment,
): Promise<RegistryConfiguration> {
  const values = new Map<string, string>();
  const ignored: string[] = [];
  const take = (key: string, value: string, shown: string): void => {
    const reason = refusal(key, value);
    if (reason !== null) throw new ExitStatus(1, `${shown} cannot be obeyed: ${reason}`);
    if (taken.includes(key)) values.set(key, value);
    else if (!needless.test(key)) ignored.push(shown);
  };
  if (path !== '') {
    for (const [key, value] of await readFlat(path)) take(key, value, `${key} of ${path}`);
    if (values.get('version') !== '0.1')
      throw new ExitStatus(1, `${path}: version ${values.get('version') ?? '""'} is not supported: it is 0.1`);
  }
  for (const [name, value = ''] of Object.entries(environment)) {
    const key = environmentKey(name, value);
    if (key !== null) take(key, value, name);
  }
  return { values, ignored };
}

/** The key that a variable stands for; null: it is about something else, as podman's REGISTRY_AUTH_FILE. */
function environmentKey(name: string, value: string): string | null {
  if (name === 'REGISTRY_STORAGE') return `storage.${value}`;
  if (name === 'REGISTRY_AUTH') return /^[a-z]+$/.test(value) ? `auth.${value}` : null;
  if (!name.startsWith('REGISTRY_')) return null;
  const key = name.slice('REGISTRY_'.length).toLowerCase().replaceAll('_', '.');
  if (taken.includes(key)) return key;
  const drivers =
    /^storage\.(?:s3|azure|gcs|swift|oss|inmemory)\b|^storage\.maintenance\.readonly|^auth\.(?:token|silly)\b/;
  return drivers.test(key) || /^http\.(?:tls|net|prefix)\b/.test(key) ? key : null;
}

async function readFlat(path: string): Promise<Map<string, string>> {
  let document: unknown;
  try {
    document = Bun.YAML.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new ExitStatus(1, `${path}: ${(error as Error).message}`);
  }
  const flat = new Map<string, string>();
  flatten(document, '', flat);
  return flat;
}

function flatten(value: unknown, key: string, flat: Map<string, string>): void {
  if (value === null || value === undefined) flat.set(key, '');
  else if (Array.isArray(value)) flat.set(key, JSON.stringify(value));
  else if (typeof value === 'object') {
    const entries = Object.entries(value);
    if (entries.length === 0 && key !== '') flat.set(key, '');
    for (const [name, below] of entries) {
      const lower = name.toLowerCase();
      flatten(below, key === '' ? lower : `${key}.${lower}`, flat);
    }
  } else flat.set(key, String(value));
}
