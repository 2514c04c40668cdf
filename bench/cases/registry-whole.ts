/**
 * Push and pull as a user has them: an engine packs, asks what is there, moves, unpacks. Most of it is the engine's work, whatever the
 * registry, so there is no target here; the rows of bare transfers beside these measure the registries.
 */
import type { Contender, Contenders } from '../contenders.ts';
import type { Row } from '../report.ts';

const layers = 10;

/** Registries by their host and port. */
export interface Registries {
  berth: string;
  dockers: string;
}

/** One image of a gigabyte, the same for both engines; each pushes to and pulls from the registry of its house, dockerd from ours too. */
export async function wholeRows({ berth, dockerd }: Contenders, registries: Registries): Promise<Row[]> {
  await makeImage(dockerd);
  await berth.shell.must(`${dockerd.client} save bench-whole | ${berth.client} load >/dev/null`);
  const pairs: [Contender, string][] = [
    [berth, registries.berth],
    [dockerd, registries.dockers],
    [dockerd, registries.berth],
  ];
  const names = pairs.map(([{ name }, host]) => `${host}/whole/${name}`);
  const seconds = { push: [] as number[], pull: [] as number[] };
  for (const verb of ['push', 'pull'] as const) {
    for (const [index, [{ client, shell }]] of pairs.entries()) {
      const name = names[index] as string;
      if (verb === 'push') await shell.must(`${client} tag bench-whole ${name}`);
      await shell.must('sync');
      const { milliseconds } = await shell.must(`${client} ${verb} ${name} >/dev/null`);
      seconds[verb].push(milliseconds / 1000);
      await shell.must(`${client} rmi ${name} >/dev/null`);
    }
    if (verb === 'pull') continue;
    for (const { client, shell } of [berth, dockerd]) await shell.must(`${client} rmi bench-whole >/dev/null`);
    // The build's own copy would be found there.
    await dockerd.shell.must(`${dockerd.client} builder prune -af >/dev/null`);
  }
  return (['push', 'pull'] as const).map((verb) => {
    const [ours, theirs, mixed] = seconds[verb] as [number, number, number];
    const name = `registry: \`${verb}\` of an image of 1 GB in 10 layers, the engine's work included`;
    const other = { name: "dockerd and Berth's registry", value: mixed };
    return { name, unit: 's', berth: ours, dockerd: theirs, other, target: [], runs: 1 };
  });
}

/** Bytes that cannot be packed any smaller. */
async function makeImage({ client, shell }: Contender): Promise<void> {
  const steps = Array.from(
    { length: layers },
    (_, index) => `RUN dd if=/dev/urandom of=/layer-${index} bs=1M count=100`,
  );
  const dockerfile = ['FROM busybox', ...steps].join('\\n');
  await shell.must(`printf '${dockerfile}\\n' | ${client} build -q -t bench-whole - >/dev/null`);
}
