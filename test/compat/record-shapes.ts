/**
 * Records the shapes of a real dockerd's replies for `shapes.test.ts`:
 *   bun test/compat/record-shapes.ts /path/to/docker.sock | biome format --stdin-file-path=x.json > test/compat/docker-shapes.json
 */
import { askOver, makeWorld } from './scenario.ts';
import { type Shape, shapeChanges, shapeOf } from './shape.ts';

/** Versions at which dockerd 28.5's replies change, and the ends. */
const versions = [
  '1.24',
  '1.27',
  '1.40',
  '1.41',
  '1.42',
  '1.43',
  '1.44',
  '1.45',
  '1.46',
  '1.47',
  '1.48',
  '1.49',
  '1.50',
  '1.51',
];

export interface Recorded {
  engine: string;
  /** Version → question → status, and the shape as changes of the version before. */
  replies: Record<string, Record<string, { status: number; changes: Shape }>>;
}

async function record(socket: string): Promise<Recorded> {
  const ask = askOver(socket);
  const { value } = await ask('GET', '/version');
  const world = await makeWorld(ask, String(process.pid));
  const recorded: Recorded = { engine: (value as { Version: string }).Version, replies: {} };
  const before = new Map<string, Shape>();
  try {
    for (const version of versions) {
      const replies: Recorded['replies'][string] = {};
      for (const [name, path] of world.questions) {
        const answer = await ask('GET', `/v${version}${path}`);
        const shape = shapeOf(answer.value);
        const changes = shapeChanges(before.get(name) ?? {}, shape);
        if (Object.keys(changes).length > 0) replies[name] = { status: answer.status, changes };
        before.set(name, shape);
      }
      recorded.replies[version] = replies;
    }
  } finally {
    await world.dispose();
  }
  return recorded;
}

if (import.meta.main) {
  const socket = process.argv[2];
  if (!socket) throw new Error('usage: record-shapes.ts <docker.sock>');
  console.log(JSON.stringify(await record(socket)));
}
