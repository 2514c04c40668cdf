/**
 * Debian's docker client, unpacked from its package into a cache of its own: nothing is installed, no dockerd is started.
 * Debian 12 has the client in `docker.io`, Debian 13 in `docker-cli`.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

const directory = join(repository, 'build/cache/docker-client');
const program = join(directory, 'usr/bin/docker');

/** Path of the client. Throws when it cannot be had: its absence is a failure, not a skip. */
export function dockerClient(): string {
  if (!existsSync(program)) unpack();
  return program;
}

function unpack(): void {
  const cache = join(repository, 'build/cache');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'docker-client-'));
  try {
    const problems: string[] = [];
    // The second round comes after `apt-get update`: a fresh machine has no package lists.
    for (const refresh of [false, true]) {
      if (refresh) run(['apt-get', 'update', '-q'], work);
      for (const name of ['docker-cli', 'docker.io']) {
        const problem = run(['apt-get', 'download', '-q', name], work);
        const file = readdirSync(work).find((entry) => entry.endsWith('.deb'));
        if (!file) {
          problems.push(`${name}: ${problem}`);
          continue;
        }
        run(['dpkg-deb', '-x', file, 'root'], work);
        rmSync(join(work, file));
        if (!existsSync(join(work, 'root/usr/bin/docker'))) continue;
        try {
          renameSync(join(work, 'root'), directory);
        } catch (error) {
          // Another test process was faster.
          if (!existsSync(program)) throw error;
        }
        return;
      }
    }
    throw new Error(`Debian's docker client cannot be had:\n${problems.join('\n')}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(command: string[], cwd: string): string {
  // apt downloads as the user _apt, which may not write here; root does it itself then, with a notice on stderr.
  const result = Bun.spawnSync(command, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  return `${result.stdout}${result.stderr}`.trim();
}
