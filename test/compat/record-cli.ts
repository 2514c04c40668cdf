/**
 * Writes `cli-golden.json`: what Docker's command line 28 answers to `cli-cases.txt` before the fake engine. Run it with that client as
 * `docker` in PATH; `cli.test.ts` holds `berth` to the file.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFakeEngine } from './cli-fake-engine.ts';
import { words } from './cli-words.ts';

const folder = mkdtempSync('/tmp/berth-record-');
await using engine = await startFakeEngine(join(folder, 'engine.sock'));
const environment = { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_HOST: engine.host, TZ: 'UTC' };
const version = Bun.spawnSync(['docker', '--version'], { env: environment }).stdout.toString().trim();
const golden: Record<string, { code: number; stdout: string; stderr: string }> = {};
for (const line of readFileSync(join(import.meta.dir, 'cli-cases.txt'), 'utf8')
  .split('\n')
  .filter(Boolean)) {
  const child = Bun.spawn(['docker', ...words(line)], {
    env: environment,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  golden[line] = { code, stdout, stderr };
}
writeFileSync(join(import.meta.dir, 'cli-golden.json'), `${JSON.stringify({ version, golden }, null, 1)}\n`);
rmSync(folder, { recursive: true, force: true });
process.exit(0);
