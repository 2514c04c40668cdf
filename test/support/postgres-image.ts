/** Debian with PostgreSQL, installed by its own apt in a container. Made once. */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEngine } from './engine.ts';
import { repository } from './repository.ts';

const archive = join(repository, 'build/cache/postgres-image.tar');

/** Gives the engine the image `postgres`. Takes a minute or two where nobody has made it yet on this machine. */
export async function loadPostgres(engine: TestEngine): Promise<void> {
  if (!existsSync(archive)) await make(engine);
  else await engine.load(archive);
}

/** Milliseconds; a busy machine takes minutes for it. */
const patience = 280_000;

async function make(engine: TestEngine): Promise<void> {
  const slowly = async (...args: string[]): Promise<void> => {
    const { code, stderr } = await engine.berthWith({ timeout: patience }, ...args);
    if (code !== 0) throw new Error(`berth ${args.join(' ')}: ${stderr}`);
  };
  await slowly('image', 'bootstrap', 'debian');
  const install = [
    'export DEBIAN_FRONTEND=noninteractive',
    'apt-get update -q',
    `apt-get install -qy --no-install-recommends postgresql`,
    'rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb',
  ];
  await slowly('run', '--name', 'installer', '--network', 'host', 'debian', 'sh', '-ec', install.join('\n'));
  await engine.ok('commit', 'installer', 'postgres');
  await engine.ok('rm', 'installer');
  const own = `${archive}.${process.pid}`;
  await engine.ok('save', '-o', own, 'postgres');
  renameSync(own, archive);
}
