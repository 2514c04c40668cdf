/**
 * Push and pull as a user has them, beside dockerd, to one registry: an engine packs, asks what is there, moves, unpacks. Two images: one that
 * cannot be packed any smaller, and a tree of Debian's packages. The rows of bare transfers in the case `registry` measure the registries.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Contender, type Contenders, state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';
import { end, registriesRoot, serveBerth } from './registry.ts';

const runs = 3;
const layers = 10;
/** What the peers' root has of Debian: some 800 MB. */
const treeParts = 'usr/bin usr/sbin usr/lib usr/share';

interface Kind {
  name: string;
  /** Makes an image of this name in dockerd, with layers that no registry has seen. */
  make(image: string, dockerd: Contender): Promise<void>;
}

const kinds: Kind[] = [
  { name: '1 GB of random bytes in 10 layers', make: makeRandom },
  { name: 'a Debian tree in one layer', make: makeTree },
];

export async function transferCases({ berth, dockerd }: Contenders): Promise<Row[]> {
  rmSync(registriesRoot, { recursive: true, force: true });
  mkdirSync(registriesRoot, { recursive: true });
  const served = await serveBerth('transfer');
  try {
    const rows: Row[] = [];
    for (const kind of kinds) rows.push(...(await measure(kind, { berth, dockerd, url: served.url })));
    return rows;
  } finally {
    await end(served);
    rmSync(registriesRoot, { recursive: true, force: true });
  }
}

type Figures = Record<'berth' | 'dockerd', number[]>;

async function measure(
  kind: Kind,
  { berth, dockerd, url }: { berth: Contender; dockerd: Contender; url: string },
): Promise<Row[]> {
  const none = (): Figures => ({ berth: [], dockerd: [] });
  const figures = { push: none(), again: none(), pull: none(), size: none() };
  for (let run = 0; run < runs; run++) {
    const image = `bench-transfer-${run}`;
    await kind.make(image, dockerd);
    await berth.shell.must(`${dockerd.client} save ${image} | ${berth.client} load >/dev/null`);
    for (const { name, client, shell } of [berth, dockerd]) {
      const side = name as 'berth' | 'dockerd';
      const repository = `${name}/${kind.name.length}-${run}`;
      const reference = `${new URL(url).host}/${repository}`;
      await shell.must(`${client} tag ${image} ${reference}; sync`);
      const timed = async (verb: string): Promise<number> =>
        (await shell.must(`${client} ${verb} ${reference} >/dev/null`)).milliseconds / 1000;
      figures.push[side].push(await timed('push'));
      figures.again[side].push(await timed('push'));
      // The build's own copy would be found there.
      await shell.must(
        `${client} rmi ${reference} ${image} >/dev/null; ${client} builder prune -af >/dev/null 2>&1; sync`,
      );
      figures.pull[side].push(await timed('pull'));
      await shell.must(`${client} rmi ${reference} >/dev/null`);
      figures.size[side].push(await packedSize(url, repository));
    }
  }
  const row = (name: string, unit: Row['unit'], of: { figures: Figures; atMost: number }): Row => ({
    name,
    unit,
    berth: median(of.figures.berth),
    dockerd: median(of.figures.dockerd),
    target: [{ of: 'dockerd', atMost: of.atMost }],
    runs,
  });
  return [
    row(`\`push\` of ${kind.name}`, 's', { figures: figures.push, atMost: 0.7 }),
    row(`\`push\` of ${kind.name}, once more`, 's', { figures: figures.again, atMost: 0.7 }),
    row(`\`pull\` of ${kind.name}`, 's', { figures: figures.pull, atMost: 0.7 }),
    row(`${kind.name}, packed`, 'MB', { figures: figures.size, atMost: 1.05 }),
  ];
}

/** Megabytes. */
async function packedSize(url: string, repository: string): Promise<number> {
  const headers = { accept: 'application/vnd.docker.distribution.manifest.v2+json' };
  const answer = await fetch(`${url}/v2/${repository}/manifests/latest`, { headers });
  const { layers: all } = (await answer.json()) as { layers: { size: number }[] };
  return all.reduce((sum, { size }) => sum + size, 0) / 1e6;
}

async function makeRandom(image: string, { client, shell }: Contender): Promise<void> {
  const steps = Array.from(
    { length: layers },
    (_, index) => `RUN dd if=/dev/urandom of=/layer-${index} bs=1M count=100`,
  );
  const dockerfile = ['FROM busybox', ...steps].join('\\n');
  await shell.must(`printf '${dockerfile}\\n' | ${client} build -q --no-cache -t ${image} - >/dev/null`);
}

/** A file of its own at the front makes it another layer each time. */
async function makeTree(image: string, { client, shell }: Contender): Promise<void> {
  const mark = join(state, 'mark');
  await shell.must(
    `echo ${image} > ${mark}; tar -c -C ${state} mark -C / ${treeParts} | ${client} import - ${image} >/dev/null; rm ${mark}`,
  );
}
