/** Programs out of Debian packages, unpacked into a cache of their own: nothing is installed, no service is started. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';

export interface PackagedProgram {
  /** Tried one after the other: Debian's releases differ. */
  packages: string[];
  /** Its path in the package, as `usr/bin/docker`. */
  program: string;
  /** A release of Debian other than the machine's own. */
  suite?: string;
}

/**
 * Path of the program.
 * @param name of its folder in the cache
 * Error: it cannot be had. A test without it has failed, it is not skipped.
 */
export function packagedProgram(name: string, wanted: PackagedProgram): string {
  const directory = join(repository, 'build/cache', name);
  const program = join(directory, wanted.program);
  if (!existsSync(program)) unpack(directory, wanted);
  return program;
}

function unpack(directory: string, { packages, program, suite }: PackagedProgram): void {
  const cache = join(repository, 'build/cache');
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'debian-package-'));
  const options = suite === undefined ? [] : aptOptions(work, suite);
  try {
    const problems: string[] = [];
    // The second round comes after `apt-get update`: a fresh machine has no package lists.
    for (const refresh of [false, true]) {
      if (refresh) problems.push(run(['apt-get', ...options, 'update', '-q'], work));
      for (const name of packages) {
        const problem = run(['apt-get', ...options, 'download', '-q', name], work);
        const file = readdirSync(work).find((entry) => entry.endsWith('.deb'));
        if (!file) {
          problems.push(`${name}: ${problem}`);
          continue;
        }
        run(['dpkg-deb', '-x', file, 'root'], work);
        rmSync(join(work, file));
        if (!existsSync(join(work, 'root', program))) continue;
        try {
          renameSync(join(work, 'root'), directory);
        } catch (error) {
          // Another test process was faster.
          if (!existsSync(join(directory, program))) throw error;
        }
        return;
      }
    }
    throw new Error(`Debian's ${packages.join(' or ')} cannot be had:\n${problems.join('\n')}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt with another release's lists, kept beside the machine's own. */
function aptOptions(work: string, suite: string): string[] {
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  writeFileSync(join(work, 'sources.list'), `deb ${mirror()} ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(work, 'lists'),
    // A release that is not out yet is signed for a week only; a mirror that lags behind still has what is wanted.
    'Acquire::Check-Valid-Until': 'false',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** The machine's own Debian mirror, in either format of apt's sources. */
function mirror(): string {
  const parts = '/etc/apt/sources.list.d';
  const files = [
    '/etc/apt/sources.list',
    ...(existsSync(parts) ? readdirSync(parts).map((file) => join(parts, file)) : []),
  ];
  for (const file of files.filter((file) => /\.(list|sources)$/.test(file) && existsSync(file))) {
    const found = /^(?:URIs:|deb)\s+(?:\[[^\]]*\]\s+)?(\S+\/debian\/?)(?:\s|$)/m.exec(readFileSync(file, 'utf8'));
    if (found) return found[1] as string;
  }
  return 'http://deb.debian.org/debian';
}

function run(command: string[], cwd: string): string {
  // apt downloads as the user _apt, which may not write here; root does it itself then, with a notice on stderr.
  const result = Bun.spawnSync(command, { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  return `${result.stdout}${result.stderr}`.trim();
}
