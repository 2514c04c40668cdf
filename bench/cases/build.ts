/** How long builds take, seen from the shell: `docker build` is BuildKit, `podman build` Buildah. */
import { join } from 'node:path';
import { type Contender, type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const runs = 5;

interface Case {
  name: string;
  /** Run before each time, in the contender's own copy of the folder; not measured. */
  before?: (folder: string) => string;
  dockerfile: string;
  flags: string;
  target: Row['target'];
  runs?: number;
  /** The time ends when the bytes are on disk: not every builder waits for that itself. */
  synced?: boolean;
  /** The step says when it begins and ends: what the builder itself takes beside it is a row of its own, by this name. */
  ownPart?: string;
}

const twenty = (step: (number: number) => string): string =>
  Array.from({ length: 20 }, (_, index) => step(index)).join('\n');

/** Seconds since the machine's start, as a step prints them. */
const clock = 'echo clock $(cut -d " " -f 1 /proc/uptime)';

const cases: readonly Case[] = [
  {
    name: '20 steps, 200 MB of context, one small file changed',
    before: (folder) => `date +%N > ${folder}/small`,
    dockerfile: `FROM busybox\nCOPY big /big\n${twenty((n) => (n < 18 ? `RUN echo ${n} > /step` : n === 18 ? 'COPY small /small' : 'ENV last=1'))}`,
    flags: '',
    target: [{ of: 'dockerd', atMost: 0.35 }],
  },
  {
    name: '20 steps, 200 MB of context, nothing changed',
    dockerfile: `FROM busybox\nCOPY big /big\n${twenty((n) => `RUN echo ${n} > /step`)}`,
    flags: '',
    target: [{ of: 'dockerd', atMost: 0.35 }],
  },
  {
    name: '20 times `RUN true`, without the cache',
    dockerfile: `FROM busybox\n${twenty(() => 'RUN true')}`,
    flags: '--no-cache',
    target: [{ of: 'dockerd', atMost: 0.35 }],
  },
  {
    name: 'four stages of 5 s each',
    dockerfile: `${['a', 'b', 'c', 'd'].map((name) => `FROM busybox AS ${name}\nRUN sleep 5; touch /${name}\n`).join('')}FROM busybox\n${['a', 'b', 'c', 'd'].map((name) => `COPY --from=${name} /${name} /`).join('\n')}`,
    flags: '--no-cache',
    target: [{ of: 'absolute', atMost: 7000 }],
    runs: 1,
  },
  {
    name: 'a step that writes 500 MB, until it is on disk',
    dockerfile: `FROM busybox\nRUN ${clock}; dd if=/dev/urandom of=/big bs=1M count=500 2>/dev/null; ${clock}`,
    flags: '--no-cache',
    target: [{ of: 'dockerd', atMost: 0.5 }],
    runs: 7,
    synced: true,
    ownPart: 'the same without the time of the step’s own command',
  },
  {
    name: 'COPY of 20,000 files, 100 MB',
    dockerfile: 'FROM busybox\nCOPY many /many',
    flags: '--no-cache',
    target: [{ of: 'dockerd', atMost: 0.6 }],
    runs: 3,
  },
  {
    name: 'the same, and COPY --from of them into another stage',
    dockerfile: 'FROM busybox AS first\nCOPY many /many\nFROM busybox\nCOPY --from=first /many /many',
    flags: '--no-cache',
    target: [{ of: 'dockerd', atMost: 0.6 }],
    runs: 3,
  },
];

/** Each builder has a folder of its own, so that nobody's changes are another's. They take turns: the machine's own pace changes within minutes. */
export async function buildCases({ berth, dockerd, podman }: Contenders): Promise<Row[]> {
  const rows: Row[] = [];
  for (const one of cases) {
    const builders = [new Builder(berth, one), new Builder(dockerd, one), new Builder(podman, one)] as const;
    const [own, docker, other] = builders;
    for (const builder of builders) await builder.prepare();
    // Podman takes a minute and more for a round; one of it shows where it stands.
    for (let run = 0; run < (one.runs ?? runs); run++)
      for (const builder of builders) if (run === 0 || builder !== other) await builder.run();
    const row = (name: string, times: 'times' | 'ownTimes'): Row => ({
      name,
      unit: 'ms',
      berth: median(own[times]),
      dockerd: median(docker[times]),
      podman: median(other[times]),
      target: one.target,
      runs: one.runs ?? runs,
    });
    rows.push(row(one.name, 'times'));
    if (one.ownPart !== undefined) rows.push(row(one.ownPart, 'ownTimes'));
    for (const builder of builders) await builder.end();
  }
  return rows;
}

/** What makes each print its steps' output. */
const progress: Readonly<Record<Contender['name'], string>> = {
  berth: '--progress=plain',
  dockerd: '--progress=plain',
  podman: '',
};

class Builder {
  readonly #contender: Contender;
  readonly #case: Case;
  readonly #folder: string;
  /** Milliseconds of each run. */
  readonly times: number[] = [];
  /** The same less what the step's command took. */
  readonly ownTimes: number[] = [];

  constructor(contender: Contender, one: Case) {
    this.#contender = contender;
    this.#case = one;
    this.#folder = join(state, `build-${contender.name}-${cases.indexOf(one)}`);
  }

  /** Makes the context and fills the cache. */
  async prepare(): Promise<void> {
    const { shell } = this.#contender;
    const folder = this.#folder;
    const { dockerfile } = this.#case;
    const text = dockerfile.replaceAll('\n', '\\n').replaceAll("'", "'\\''");
    await shell.must(`mkdir -p ${folder}/big && printf '${text}' > ${folder}/Dockerfile && echo 1 > ${folder}/small`);
    if (dockerfile.includes('COPY big'))
      await shell.must(`for n in $(seq 0 199); do head -c 1000000 /dev/urandom > ${folder}/big/f$n; done`);
    if (dockerfile.includes('COPY many'))
      await shell.must(
        `for n in $(seq 0 199); do mkdir -p ${folder}/many/d$n; head -c 500000 /dev/urandom | split -b 5000 - ${folder}/many/d$n/f; done`,
      );
    await this.#build();
  }

  async run(): Promise<void> {
    const { milliseconds, inStep } = await this.#build();
    this.times.push(milliseconds);
    this.ownTimes.push(milliseconds - inStep);
  }

  async end(): Promise<void> {
    await this.#contender.shell.must(`rm -r ${this.#folder} ${this.#folder}.output`);
  }

  async #build(): Promise<{ milliseconds: number; inStep: number }> {
    const { shell, client, name } = this.#contender;
    const { before, synced, flags, ownPart } = this.#case;
    if (before) await shell.must(before(this.#folder));
    // A virtual machine gives free memory back to its host, and pays when it takes it again: each builder finds as much that is still there.
    if (synced) await shell.must(`head -c 700M /dev/zero > ${state}/warm && sync && rm ${state}/warm && sync`);
    // Podman raises limits for its steps, which not every machine lets it.
    const limits = name === 'podman' ? '--ulimit nofile=1024:1024 --ulimit nproc=1024:1024' : '';
    const output = `${this.#folder}.output`;
    const { milliseconds } = await shell.must(
      `${client} build ${flags} ${limits} ${ownPart === undefined ? '-q' : progress[name]} -t bench-build ${this.#folder} >${output} 2>&1${synced ? ' && sync' : ''}`,
    );
    if (ownPart === undefined) return { milliseconds, inStep: 0 };
    const clocks = [...(await Bun.file(output).text()).matchAll(/^.*?\bclock (\d+\.\d+)$/gm)];
    const [begun, ended] = clocks.map((match) => Number(match[1]));
    if (begun === undefined || ended === undefined)
      throw new Error(`${name}: the step did not say when it began and ended`);
    return { milliseconds, inStep: (ended - begun) * 1000 };
  }
}
