/**
 * Berth beside dockerd and Podman in one run. `bench/main.ts [case …]` runs only the named cases and prints them; without names all
 * of them run and bench/RESULTS.md is written.
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
import { type Contenders, openContenders, state } from './contenders.ts';
import { type Row, renderResults, verdicts } from './report.ts';

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
};

const wanted = process.argv.slice(2);
const contenders = await openContenders();
const rows: Row[] = [];
try {
  await importBusybox(contenders);
  for (const [name, measure] of Object.entries(cases)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    for (const row of await measure(contenders)) {
      rows.push(row);
      console.log(
        `${row.name}: ${row.berth.toFixed(2)} ${row.unit} (dockerd ${row.dockerd?.toFixed(2)}, podman ${row.podman?.toFixed(2)}) ${verdicts(
          row,
        )
          .map(({ text, met }) => `${met ? '✓' : '✗'} ${text}`)
          .join(', ')}`,
      );
    }
  }
} finally {
  await contenders.close();
}
if (wanted.length === 0) {
  const versions = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release().split('-')[0]}.`;
  await Bun.write(resolve(import.meta.dir, 'RESULTS.md'), renderResults(rows, versions));
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
