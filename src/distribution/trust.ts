/**
 * Whose certificates a registry may show: the host's own bundle, as every program of the host, and what dockerd's
 * `certs.d/<host>/` holds for one registry (https://docs.docker.com/engine/security/certificates/).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a TLS connection to one host uses. */
export interface Trust {
  /** PEM. Absent: the runtime's own bundle. */
  ca?: string[];
  cert?: string;
  key?: string;
  rejectUnauthorized: boolean;
}

const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const directories = ['/etc/berth/certs.d', '/etc/docker/certs.d'];

let systemBundle: Promise<string | null> | undefined;

/** @param host `host[:port]`; @param verify false: any certificate will do */
export async function trustOf(host: string, verify: boolean): Promise<Trust> {
  if (!verify) return { rejectUnauthorized: false, ...(await clientCertificate(host)) };
  systemBundle ??= readFirst([process.env.SSL_CERT_FILE, ...bundles]);
  const system = await systemBundle;
  const own = await certificatesOf(host, '.crt');
  return {
    rejectUnauthorized: true,
    ...((system || own.length > 0) && { ca: [...(system ? [system] : []), ...own] }),
    ...(await clientCertificate(host)),
  };
}

async function readFirst(paths: (string | undefined)[]): Promise<string | null> {
  for (const path of paths) {
    const text = path ? await readOrNull(path) : null;
    if (text) return text;
  }
  return null;
}

async function certificatesOf(host: string, suffix: string): Promise<string[]> {
  const found: string[] = [];
  for (const { directory, names } of await listings(host)) {
    for (const name of names) {
      const text = name.endsWith(suffix) ? await readOrNull(join(directory, name)) : null;
      if (text) found.push(text);
    }
  }
  return found;
}

async function clientCertificate(host: string): Promise<{ cert: string; key: string } | null> {
  for (const { directory, names } of await listings(host)) {
    for (const name of names) {
      if (!name.endsWith('.cert')) continue;
      const cert = await readOrNull(join(directory, name));
      const key = await readOrNull(join(directory, name.replace(/\.cert$/, '.key')));
      if (cert && key) return { cert, key };
    }
  }
  return null;
}

async function listings(host: string): Promise<{ directory: string; names: string[] }[]> {
  // A registry's name comes from a client: it may not lead out of the directory.
  if (host.includes('/') || host === '..' || host === '.') return [];
  const lists = directories.map(async (base) => {
    const directory = join(base, host);
    // Nearly nobody has the directory; that it is absent is the usual answer.
    return { directory, names: await readdir(directory).catch((): string[] => []) };
  });
  return Promise.all(lists);
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((): null => null);
}
