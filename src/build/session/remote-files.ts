/** Files that the engine fetches itself: an address, a repository. */
import { createHash } from 'node:crypto';
import { mkdir, open, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { Lease } from '../../store/types.ts';
import type { RemoteFiles } from '../ops/values.ts';
import type { FileSource } from './file-source.ts';
import { parseGitAddress } from './git-address.ts';
import { directoryFiles } from './layered-files.ts';

/** Runs a program of the host to its end; gives its output. */
export type RunTool = (
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; signal?: AbortSignal },
) => Promise<string>;

export class HostRemoteFiles implements RemoteFiles {
  readonly #runTool: RunTool;

  constructor(runTool: RunTool) {
    this.#runTool = runTool;
  }

  /** One file, `/<filename>`, with the time that the server gives it. Errors: `invalid` for another digest, `unavailable` without an answer. */
  async http(
    what: { url: string; checksum: string; filename: string },
    { lease, signal }: { lease: Lease; signal: AbortSignal },
  ): Promise<FileSource> {
    const directory = await place(lease);
    const answer = await fetch(what.url, { signal, redirect: 'follow' }).catch((cause: unknown) => {
      throw new BerthError('unavailable', `failed to fetch ${what.url}: ${(cause as Error).message}`, { cause });
    });
    if (!answer.ok || !answer.body)
      throw new BerthError('unavailable', `failed to load cache key: invalid response status ${answer.status}`);
    const [algorithm = 'sha256', wanted = ''] = what.checksum.split(':');
    const hash = createHash(what.checksum === '' ? 'sha256' : algorithm);
    const path = join(directory, what.filename);
    const file = await open(path, 'w', 0o600);
    try {
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        await file.write(chunk);
      }
    } finally {
      await file.close();
    }
    const digest = hash.digest('hex');
    if (wanted !== '' && digest !== wanted)
      throw new BerthError('invalid', `digest mismatch ${algorithm}:${digest}: ${what.checksum}`);
    const modified = Date.parse(answer.headers.get('last-modified') ?? '') / 1000 || 0;
    await utimes(path, modified, modified);
    return directoryFiles(directory, { rootOwned: true });
  }

  /** The checked out files. Errors: git's words. */
  async git(
    what: { url: string; keepGitDirectory: boolean; checksum: string },
    { lease, signal }: { lease: Lease; signal: AbortSignal },
  ): Promise<FileSource> {
    const address = parseGitAddress(what.url);
    const directory = await place(lease);
    const env = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1', GIT_PROTOCOL_FROM_USER: '0' };
    const git = (...words: string[]): Promise<string> =>
      this.#runTool(['git', '-c', 'init.defaultBranch=main', ...words], { cwd: directory, env, signal });
    await git('init', '--quiet');
    await git('remote', 'add', 'origin', '--', address.remote);
    const wanted = address.reference || 'HEAD';
    await git('fetch', '--quiet', '--depth', '1', 'origin', '--', wanted).catch(() =>
      git('fetch', '--quiet', 'origin', '--', `${wanted}:refs/berth/wanted`),
    );
    await git('checkout', '--quiet', 'FETCH_HEAD');
    const commit = (await git('rev-parse', 'HEAD')).trim();
    if (what.checksum !== '' && !commit.startsWith(what.checksum))
      throw new BerthError('invalid', `expected checksum to match ${what.checksum}, got ${commit}`);
    await git('submodule', 'update', '--init', '--recursive', '--depth', '1');
    if (!what.keepGitDirectory) await rm(join(directory, '.git'), { recursive: true, force: true });
    return directoryFiles(address.subdirectory === '' ? directory : join(directory, address.subdirectory), {
      rootOwned: true,
      revision: commit,
    });
  }
}

async function place(lease: Lease): Promise<string> {
  const directory = join(lease.directory, `remote-${crypto.randomUUID()}`);
  await mkdir(directory, { mode: 0o700 });
  return directory;
}
