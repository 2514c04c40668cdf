/**
 * Debian for the tests: a bootstrapped base image that has the packages they install in a pantry, so that a Dockerfile's
 * `apt-get update` and `apt-get install` work in it without a network. Each package is downloaded once on a machine.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEngine } from './engine.ts';
import { once } from './once.ts';
import { repository } from './repository.ts';

/** What is installed together, with commas: what another group brings must not decide what apt picks. */
const groups = [
  'gcc,libc6-dev',
  'git',
  'haproxy',
  'mariadb-server',
  'memcached',
  'mosquitto,mosquitto-clients',
  'nginx',
  'nodejs',
  'php-fpm,systemd-standalone-tmpfiles',
  'postgresql',
  'python3-flask',
  'redis-server',
];

const pantry = join(repository, 'test/support/pantry');

/** Milliseconds for a test file's first hook: it may have to wait for the image, or make it. */
export const debianPatience = 600_000;

/** Gives the engine the image `debian`. Takes minutes where nobody has made it yet on this machine. */
export async function loadDebian(engine: TestEngine): Promise<void> {
  const recipe = createHash('sha256').update(groups.join(' '));
  for (const file of readdirSync(pantry)) recipe.update(readFileSync(join(pantry, file)));
  const archive = join(repository, `build/cache/debian-image-${recipe.digest('hex').slice(0, 12)}.tar`);
  await once(archive, async (unfinished) => {
    await slowly(engine, 'image', 'bootstrap', 'debian');
    await slowly(
      engine,
      'build',
      '-q',
      '--network',
      'host',
      '--build-arg',
      `PACKAGES=${groups.join(' ')}`,
      '-t',
      'debian',
      pantry,
    );
    await engine.ok('save', '-o', unfinished, 'debian');
    await engine.ok('image', 'rm', '-f', ...(await engine.ok('image', 'ls', '-q')).split('\n'));
    await engine.ok('builder', 'prune', '-af');
  });
  await engine.load(archive);
}

/** As `engine.ok`, for what takes minutes. */
export async function slowly(engine: TestEngine, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await engine.berthWith({ timeout: debianPatience }, ...args);
  if (code !== 0) throw new Error(`berth ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
  return stdout.replace(/\n$/, '');
}
