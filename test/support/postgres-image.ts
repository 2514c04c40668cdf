/** Debian with PostgreSQL, installed by its own apt in a container. Made once. */
import { join } from 'node:path';
import { loadDebian, slowly } from './debian-image.ts';
import type { TestEngine } from './engine.ts';
import { once } from './once.ts';
import { repository } from './repository.ts';

const archive = join(repository, 'build/cache/postgres-image.tar');

/** Gives the engine the image `postgres`. Takes a minute or two where nobody has made it yet on this machine. */
export async function loadPostgres(engine: TestEngine): Promise<void> {
  await once(archive, (unfinished) => make(engine, unfinished));
  await engine.load(archive);
}

async function make(engine: TestEngine, unfinished: string): Promise<void> {
  await loadDebian(engine);
  const install = [
    'export DEBIAN_FRONTEND=noninteractive',
    'apt-get update -q',
    'apt-get install -qy --no-install-recommends postgresql',
    'rm -rf /var/lib/apt/lists/*',
  ];
  await slowly(engine, 'run', '--name', 'installer', 'debian', 'sh', '-ec', install.join('\n'));
  await engine.ok('commit', 'installer', 'postgres');
  await engine.ok('rm', 'installer');
  await engine.ok('save', '-o', unfinished, 'postgres');
}
