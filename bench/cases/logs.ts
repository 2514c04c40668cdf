/** Two gigabytes through a container's standard output: written to the log, read back, and followed through rotation. */
import type { Contender, Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';
import { pss } from './memory.ts';

const bytes = 2_000_000_000;
/** 100-byte lines, the same bytes for everyone, out of a file that is made once: the writer must not be what is measured. */
const line = `${'0123456789'.repeat(9)}012345678`;
const writer = `sh -c 'yes ${line} | head -c ${bytes / 100} >/tmp/lines; i=0; while [ $i -lt 100 ]; do cat /tmp/lines; i=$((i+1)); done'`;

async function seconds(contender: Contender, command: string): Promise<number> {
  return (await contender.shell.must(command)).milliseconds / 1000;
}

/** One run each: it takes minutes on the peers. */
export async function logCases({ berth, dockerd, podman, engine }: Contenders): Promise<Row[]> {
  const wanted = (await berth.shell.must(`${writer} | sha256sum`)).output;
  const before = pss(engine.pid);
  const write = (contender: Contender, options: string) =>
    seconds(contender, `${contender.client} run --name bench-logs ${options} busybox ${writer} >/dev/null`);
  const read = async (contender: Contender) => {
    const timed = await contender.shell.must(`${contender.client} logs bench-logs | sha256sum`);
    if (timed.output !== wanted) throw new Error(`${contender.name}: the log is not what was written`);
    return timed.milliseconds / 1000;
  };
  const writes: number[] = [];
  const reads: number[] = [];
  for (const contender of [berth, dockerd, podman]) {
    const unlimited = contender === berth ? '--log-opt max-size=-1' : '';
    writes.push(
      await write(contender, `-d ${unlimited}`).then(
        async (started) => started + (await seconds(contender, `${contender.client} wait bench-logs`)),
      ),
    );
    reads.push(await read(contender));
    await contender.shell.must(`${contender.client} rm -f bench-logs`);
  }
  const live = await berth.shell.must(
    `${berth.client} run -d --name bench-logs busybox sh -c 'until [ -e /go ]; do sleep 0.1; done; ${writer.slice(7, -1)}' >/dev/null; (sleep 1; ${berth.client} exec bench-logs touch /go) & ${berth.client} logs -f bench-logs | sha256sum`,
  );
  if (live.output !== wanted) throw new Error('the followed log is not what was written');
  await berth.shell.must(`${berth.client} rm -f bench-logs`);
  const grown = (pss(engine.pid) - before) / 1024;
  return [
    {
      name: '2 GB written to the log',
      unit: 's',
      berth: writes[0] as number,
      dockerd: writes[1],
      podman: writes[2],
      target: [{ of: 'dockerd', atMost: 0.2 }],
      runs: 1,
    },
    {
      name: '2 GB read by `logs`',
      unit: 's',
      berth: reads[0] as number,
      dockerd: reads[1],
      podman: reads[2],
      target: [{ of: 'dockerd', atMost: 0.2 }],
      runs: 1,
    },
    {
      name: '2 GB followed live by `logs -f` through rotation (one second of it waiting)',
      unit: 's',
      berth: live.milliseconds / 1000,
      target: [],
      runs: 1,
    },
    {
      name: "engine's memory, growth through all of it",
      unit: 'MB',
      berth: grown,
      target: [{ of: 'absolute', atMost: 50 }],
      runs: 1,
    },
  ];
}
