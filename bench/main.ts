/**
 * Berth beside dockerd and Podman. `bench/main.ts [case …]` runs the named cases, or all, prints what they measured and puts it into
 * bench/RESULTS.md, of which bench/results.json is the source. A case that fails leaves the figures that it had; the exit status is 1 then.
 */
import { cpus, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { buildCases } from './cases/build.ts';
import { bulkCases } from './cases/bulk.ts';
import { latencyCases } from './cases/latency.ts';
import { loadCases } from './cases/load.ts';
import { logCases } from './cases/logs.ts';
import { memoryCases } from './cases/memory.ts';
import { networkCases } from './cases/networks.ts';
import { registryCases } from './cases/registry.ts';
import { scaleCases } from './cases/scale.ts';
import { startCases } from './cases/start.ts';
import { startUpCases } from './cases/start-up.ts';
import { statsCases } from './cases/stats.ts';
import { transferCases } from './cases/transfer.ts';
import { type Contenders, openContenders, state } from './contenders.ts';
import { type Measured, type Row, renderResults, verdicts } from './report.ts';

// `start` leaves fifty containers alive for `memory`.
const cases: Record<string, (contenders: Contenders) => Promise<Row[]>> = {
  'start-up': startUpCases,
  start: startCases,
  memory: memoryCases,
  stats: statsCases,
  scale: scaleCases,
  load: loadCases,
  bulk: bulkCases,
  build: buildCases,
  latency: latencyCases,
  logs: logCases,
  networks: networkCases,
  registry: registryCases,
  transfer: transferCases,
};

const results = resolve(import.meta.dir, 'results.json');
const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release().split('-')[0]}.`;
const wanted = process.argv.slice(2);
const contenders = await openContenders();
try {
  await importBusybox(contenders);
  for (const [name, measure] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    try {
      const rows = await measure(contenders);
      for (const row of rows) print(row);
      await keep(name, rows);
    } catch (error) {
      console.error(`${name}:`, error);
      process.exitCode = 1;
    }
  }
} finally {
  await contenders.close();
}

function print(row: Row): void {
  const peers = `dockerd ${row.dockerd?.toFixed(2)}, podman ${row.podman?.toFixed(2)}`;
  const judged = verdicts(row).map(({ text, met }) => `${met ? '✓' : '✗'} ${text}`);
  console.log(`${row.name}: ${row.berth.toFixed(2)} ${row.unit} (${peers}) ${judged.join(', ')}`);
}

async function keep(name: string, rows: Row[]): Promise<void> {
  const file = Bun.file(results);
  const known = (await file.exists()) ? ((await file.json()) as Record<string, Measured>) : {};
  const commit = (await Bun.$`git rev-parse --short HEAD`.cwd(import.meta.dir).text()).trim();
  known[name] = { day: new Date().toISOString().slice(0, 10), commit, machine, rows };
  await Bun.write(results, `${JSON.stringify(known, null, 1)}\n`);
  const inOrder = Object.keys(cases).flatMap((key) => (known[key] ? [[key, known[key]] as const] : []));
  await Bun.write(resolve(import.meta.dir, 'RESULTS.md'), renderResults(inOrder));
}

/** The same small image for everyone. */
async function importBusybox({ berth, dockerd, podman }: Contenders): Promise<void> {
  const archive = join(state, 'busybox.tar');
  await dockerd.shell.must(
    `[ -e ${archive} ] || { d=$(mktemp -d) && mkdir -p $d/bin $d/etc $d/tmp $d/proc $d/sys $d/dev && cp /bin/busybox $d/bin/ && for a in $(busybox --list | grep -vx busybox); do ln -s busybox $d/bin/$a; done && echo root:x:0:0:root:/root:/bin/sh > $d/etc/passwd && echo root:x:0: > $d/etc/group && tar -C $d -cf ${archive} . && rm -r $d; }`,
  );
  for (const { shell, client } of [berth, dockerd, podman])
    await shell.must(`${client} import ${archive} busybox:latest >/dev/null 2>&1`);
}
