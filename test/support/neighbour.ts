import { type EngineOptions, startEngine, type TestEngine } from './engine.ts';
import { Machine } from './machine.ts';

/** An engine on a machine that has a neighbour. */
export interface NeighbouredEngine {
  /** `10.96.0.1` and `fd96::1` for its neighbour. */
  host: Machine;
  /** At `10.96.0.2` and `fd96::2`; it sends what is for containers to the host. */
  neighbour: Machine;
  engine: TestEngine;
  stop(): Promise<void>;
}

export async function startBesideNeighbour(options: EngineOptions = {}): Promise<NeighbouredEngine> {
  const [host, neighbour] = await Promise.all([Machine.start(), Machine.start()]);
  await host.connect('out', '10.96.0.1/24', { machine: neighbour, name: 'in', address: '10.96.0.2/24' });
  await host.script('ip address add fd96::1/64 dev out nodad');
  await neighbour.script(
    'ip address add fd96::2/64 dev in nodad; ip route add default via 10.96.0.1; ip route add default via fd96::1',
  );
  const engine = await startEngine({ images: ['busybox'], machine: host, ...options });
  return {
    host,
    neighbour,
    engine,
    stop: async () => {
      await engine.cleanUp();
      await Promise.all([host.stop(), neighbour.stop()]);
    },
  };
}
