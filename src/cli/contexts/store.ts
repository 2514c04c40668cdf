/**
 * Contexts: named engines, in Docker's own files below the configuration directory, so that both command lines see the same ones.
 *
 *   contexts/meta/<sha256 of the name>/meta.json
 *   contexts/tls/<sha256 of the name>/docker/{ca,cert,key}.pem
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { BerthError, systemReason } from '../../api/errors.ts';

/** The context that is no file: what the environment says, else this machine's engine. */
export const defaultContext = 'default';

export interface ContextMeta {
  Name: string;
  Metadata: { Description?: string; [key: string]: unknown };
  Endpoints: { docker?: { Host?: string; SkipTLSVerify?: boolean }; [name: string]: unknown };
}

/** PEM texts by file name: `ca.pem`, `cert.pem`, `key.pem`. */
export type TlsFiles = Record<string, string>;

export class ContextStore {
  readonly #directory: string;

  /** @param configDirectory `~/.docker` */
  constructor(configDirectory: string) {
    this.#directory = `${configDirectory}/contexts`;
  }

  metaDirectory(name: string): string {
    return `${this.#directory}/meta/${digestOf(name)}`;
  }

  tlsDirectory(name: string): string {
    return `${this.#directory}/tls/${digestOf(name)}`;
  }

  async has(name: string): Promise<boolean> {
    return await Bun.file(`${this.metaDirectory(name)}/meta.json`).exists();
  }

  /** Error: `not-found` in Docker's words. */
  async read(name: string): Promise<ContextMeta> {
    const path = `${this.metaDirectory(name)}/meta.json`;
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      const why = systemReason(cause);
      throw new BerthError('not-found', `context ${JSON.stringify(name)}: context not found: open ${path}: ${why}`, {
        cause,
      });
    });
    return normalized(JSON.parse(text) as Partial<ContextMeta>, name);
  }

  /** By name. */
  async list(): Promise<ContextMeta[]> {
    const folders = await readdir(`${this.#directory}/meta`).catch(() => []);
    const found: ContextMeta[] = [];
    for (const folder of folders) {
      const text = await readFile(`${this.#directory}/meta/${folder}/meta.json`, 'utf8').catch(() => '');
      if (text !== '') found.push(normalized(JSON.parse(text) as Partial<ContextMeta>, folder));
    }
    return found.sort((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
  }

  /** Takes the place of what was there, TLS files included unless they stay (`tls` absent). */
  async write(meta: ContextMeta, tls?: TlsFiles): Promise<void> {
    const directory = this.metaDirectory(meta.Name);
    if (tls) await this.#writeTls(meta.Name, tls);
    await mkdir(directory, { recursive: true, mode: 0o755 });
    await writeFile(`${directory}/meta.json.tmp`, JSON.stringify(meta), { mode: 0o644 });
    await rename(`${directory}/meta.json.tmp`, `${directory}/meta.json`);
  }

  async remove(name: string): Promise<void> {
    await rm(this.metaDirectory(name), { recursive: true, force: true });
    await rm(this.tlsDirectory(name), { recursive: true, force: true });
  }

  /** Empty: none. */
  async tls(name: string): Promise<TlsFiles> {
    const directory = `${this.tlsDirectory(name)}/docker`;
    const names = await readdir(directory).catch(() => []);
    const texts = await Promise.all(names.sort().map((file) => readFile(`${directory}/${file}`, 'utf8')));
    return Object.fromEntries(names.map((file, index) => [file, texts[index] as string]));
  }

  async #writeTls(name: string, files: TlsFiles): Promise<void> {
    const directory = this.tlsDirectory(name);
    await rm(directory, { recursive: true, force: true });
    if (Object.keys(files).length === 0) return;
    await mkdir(`${directory}/docker`, { recursive: true, mode: 0o700 });
    for (const [file, text] of Object.entries(files))
      await writeFile(`${directory}/docker/${file}`, text, { mode: 0o600 });
  }
}

function digestOf(name: string): string {
  return new Bun.CryptoHasher('sha256').update(name).digest('hex');
}

/** Other programs write these files too: what is left out there is filled in. */
function normalized(meta: Partial<ContextMeta>, name: string): ContextMeta {
  return { ...meta, Name: meta.Name ?? name, Metadata: meta.Metadata ?? {}, Endpoints: meta.Endpoints ?? {} };
}

/** Error: `invalid` in Docker's words. */
export function checkContextName(name: string): void {
  if (name === '') throw new BerthError('invalid', 'context name cannot be empty');
  if (name === defaultContext) throw new BerthError('invalid', '"default" is a reserved context name');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name))
    throw new BerthError(
      'invalid',
      `context name ${JSON.stringify(name)} is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    );
}
