/** Networks: making many, publishing many ports, what goes through them, and how fast names are answered. */
import { resolve } from 'node:path';
import { Machine } from '../../test/support/machine.ts';
import { type Contender, type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const peer = resolve(import.meta.dir, '../network-peer.py');
const networks = 200;
const seconds = 3;
const runs = 3;

export async function networkCases(contenders: Contenders): Promise<Row[]> {
  return [
    await manyNetworks(contenders),
    await manyPorts(contenders),
    ...(await traffic(contenders)),
    ...(await names(contenders)),
  ];
}

async function manyNetworks({ berth, dockerd, podman }: Contenders): Promise<Row> {
  const times: number[] = [];
  for (const { shell, client } of [berth, dockerd, podman]) {
    const each = (command: string): string => `for i in $(seq ${networks}); do ${command} >/dev/null || exit 1; done`;
    const create = each(`${client} network create --subnet 10.77.$i.0/24 bench-$i`);
    const remove = each(`${client} network rm bench-$i`);
    times.push((await shell.must(`(${create}; ${remove})`)).milliseconds / 1000);
  }
  return {
    name: `${networks} networks created and removed, one command each`,
    unit: 's',
    berth: times[0] as number,
    dockerd: times[1],
    podman: times[2],
    target: [{ of: 'dockerd', atMost: 0.1 }],
    runs: 1,
  };
}

/** dockerd 28.5 does not finish this in a minute and dies of it, so it is not asked. */
async function manyPorts({ berth: { shell, client } }: Contenders): Promise<Row> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const command = `${client} run -d --name bench-ports -p 10000-14999:10000-14999 busybox sleep 1000000 >/dev/null`;
    times.push((await shell.must(command)).milliseconds / 1000);
    await shell.must(`${client} rm -f bench-ports >/dev/null`);
  }
  return {
    name: 'a container with 5,000 published ports',
    unit: 's',
    berth: median(times),
    target: [{ of: 'absolute', atMost: 1 }],
    runs,
  };
}

/** Another machine on a cable, from which the host is reached at 10.203.0.1. */
async function openOutside(contenders: Contenders): Promise<Machine> {
  const outside = await Machine.start();
  await contenders.berth.shell.must(
    `ip link add benchout type veth peer name benchin netns ${outside.pid} && ip address add 10.203.0.1/24 dev benchout && ip link set benchout up`,
  );
  await outside.script('ip address add 10.203.0.2/24 dev benchin; ip link set benchin up');
  await widenPorts(outside.pid);
  return outside;
}

/** A minute's connections to one server: whoever makes more has no ports left, and is slow the more the faster it was before. */
async function widenPorts(pid: number): Promise<void> {
  await Bun.$`nsenter --net=/proc/${pid}/ns/net -- sh -c 'echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range'`;
}

async function pidOf({ shell, client }: Contender, name: string): Promise<number> {
  return Number((await shell.must(`${client} inspect -f '{{.State.Pid}}' ${name}`)).output);
}

function inNetwork(pid: number, ...command: string[]): string[] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`, '--', 'python3', peer, ...command];
}

async function measure(command: string[]): Promise<number> {
  const child = Bun.spawn(command, { stdout: 'pipe' });
  const text = await child.stdout.text();
  if ((await child.exited) !== 0) throw new Error(command.join(' '));
  return Number(text);
}

const kinds = [
  ['MB a second from a published port, another machine asks', 'pull', 'outside'],
  ['connections a second to a published port, another machine asks', 'connect', 'outside'],
  ['MB a second between two containers', 'pull', 'inside'],
  ['connections a second between two containers', 'connect', 'inside'],
] as const;

/** Higher is better here, so the rows tell time: seconds for a gigabyte, microseconds for a connection. */
async function traffic(contenders: Contenders): Promise<Row[]> {
  const outside = await openOutside(contenders);
  const both = [contenders.berth, contenders.dockerd];
  const servers: Bun.Subprocess[] = [];
  const rows: Row[] = [];
  try {
    for (const [index, { shell, client }] of both.entries()) {
      await shell.must(`${client} network create bench-net >/dev/null`);
      const port = 18_200 + index;
      const flags = '-d --network bench-net';
      await shell.must(`${client} run ${flags} --name bench-server -p ${port}:5000 busybox sleep 1000000 >/dev/null`);
      await shell.must(`${client} run ${flags} --name bench-client busybox sleep 1000000 >/dev/null`);
      await widenPorts(await pidOf(both[index] as Contender, 'bench-client'));
      const server = Bun.spawn(inNetwork(await pidOf(both[index] as Contender, 'bench-server'), 'serve', '5000'), {
        stdout: 'pipe',
      });
      servers.push(server);
      await server.stdout.getReader().read();
    }
    for (const [name, command, where] of kinds) {
      const values = both.map((): number[] => []);
      for (let run = 0; run < runs; run++) {
        for (const [index, contender] of both.entries()) {
          const inside = where === 'inside';
          const pid = inside ? await pidOf(contender, 'bench-client') : outside.pid;
          const format = "-f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'";
          const inspect = `${contender.client} inspect ${format} bench-server`;
          const target = inside
            ? [(await contender.shell.must(inspect)).output, '5000']
            : ['10.203.0.1', String(18_200 + index)];
          values[index]?.push(await measure(inNetwork(pid, command, ...target, String(seconds))));
        }
      }
      const [berth, dockerd] = values.map(median) as [number, number];
      const isPull = command === 'pull';
      const cost = (rate: number): number => 1000 / rate;
      rows.push({
        name: `${name.replace(/^MB a second|^connections a second/, isPull ? 'a gigabyte' : 'a connection')} (${berth.toFixed(0)} ${isPull ? 'MB/s' : 'a second'})`,
        unit: isPull ? 's' : 'ms',
        berth: cost(berth),
        dockerd: cost(dockerd),
        target: [{ of: 'dockerd', atMost: 1.05 }],
        runs,
      });
    }
  } finally {
    for (const server of servers) server.kill();
    for (const { shell, client } of both)
      await shell.run(
        `${client} rm -f bench-server bench-client >/dev/null; ${client} network rm bench-net >/dev/null`,
      );
    await contenders.berth.shell.run('ip link delete benchout');
    await outside.stop();
  }
  return rows;
}

async function names({ berth }: Contenders): Promise<Row[]> {
  const { shell, client } = berth;
  await shell.must(`${client} network create bench-names >/dev/null`);
  for (const name of ['bench-asked', 'bench-asker'])
    await shell.must(`${client} run -d --network bench-names --name ${name} busybox sleep 1000000 >/dev/null`);
  // The question is when the answer comes, not when a busy machine lets the asker look: it waits for no processor.
  const ask = ['chrt', '-f', '2', ...inNetwork(await pidOf(berth, 'bench-asker'), 'names', 'bench-asked', '5000')];
  const row = (name: string, value: number): Row => ({
    name: `names at p99, 5,000 questions a second${name}`,
    unit: 'ms',
    berth: value,
    target: [{ of: 'absolute', atMost: 2 }],
    runs: 5000 * seconds,
  });
  // The first seconds are the compiler's: the process that answers has only just been started.
  await measure([...ask, String(seconds)]);
  const rows = [row('', await measure([...ask, String(seconds)]))];
  const archive = `${state}/names.tar`;
  await shell.must(
    `[ -e ${archive} ] || { rm -rf ${state}/names && mkdir -p ${state}/names && for i in $(seq 40); do head -c 25000000 /dev/urandom > ${state}/names/$i; done && tar -C ${state}/names -c . | ${client} import - names >/dev/null && ${client} save -o ${archive} names && ${client} rmi -f names >/dev/null && rm -r ${state}/names; }`,
  );
  const load = Bun.spawn(['bash', '-c', `${client} load -q -i ${archive}`], { stdout: 'ignore' });
  rows.push(row(' while 1 GB is loaded', await measure([...ask, String(seconds)])));
  await load.exited;
  await shell.must(
    `${client} rmi -f names >/dev/null; ${client} rm -f bench-asked bench-asker >/dev/null; ${client} network rm bench-names >/dev/null`,
  );
  return rows;
}
