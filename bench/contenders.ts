/** The three engines, each with a root of its own below one folder, ready for the same commands. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Subprocess } from 'bun';
import { Shell } from './shell.ts';

const repository = resolve(import.meta.dir, '..');
const peers = join(repository, 'bench/peers.sh');
/** The folder that the peers' root sees under the same name. */
export const state = process.env['BERTH_PEERS'] ?? '/var/tmp/berth-peers';

export interface Contender {
  name: 'berth' | 'dockerd' | 'podman';
  /** The client with the flags that select this engine. */
  client: string;
  shell: Shell;
}

export interface Contenders {
  berth: Contender;
  dockerd: Contender;
  podman: Contender;
  /** Process of Berth's engine. */
  engine: Subprocess;
  berthRoot: string;
  close(): Promise<void>;
}

/** Starts Berth and dockerd and opens a shell for each client. */
export async function openContenders(): Promise<Contenders> {
  await must([peers, 'setup']);
  const berthRoot = join(state, 'berth');
  mkdirSync(berthRoot, { recursive: true });
  const berthSocket = `unix://${berthRoot}/berth.sock`;
  const engine = startBerth(berthRoot);
  const dockerd = Bun.spawn(['setsid', peers, 'dockerd'], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: Bun.file(join(state, 'dockerd.log')),
  });
  const berth: Contender = {
    name: 'berth',
    client: `${repository}/dist/berth -H ${berthSocket}`,
    shell: new Shell(['bash']),
  };
  const docker: Contender = {
    name: 'dockerd',
    client: `docker -H unix://${state}/docker.sock`,
    shell: new Shell([peers, 'shell']),
  };
  const podman: Contender = {
    name: 'podman',
    client: `podman --root ${state}/podman --runroot ${state}/podman-run --cgroup-manager cgroupfs`,
    shell: new Shell([peers, 'shell']),
  };
  for (const contender of [berth, docker]) await answers(contender);
  return {
    berth,
    dockerd: docker,
    podman,
    engine,
    berthRoot,
    async close() {
      for (const contender of [berth, docker, podman]) {
        await contender.shell.run(`${contender.client} rm -f $(${contender.client} ps -aq) >/dev/null 2>&1`);
      }
      engine.kill('SIGTERM');
      await engine.exited;
      const pid = Number(await Bun.file(join(state, 'docker.pid')).text());
      process.kill(pid, 'SIGTERM');
      await dockerd.exited;
      await Promise.all([berth.shell.close(), docker.shell.close(), podman.shell.close()]);
    },
  };
}

function startBerth(root: string): Subprocess {
  const flags = ['-H', `unix://${root}/berth.sock`, '--data-root', `${root}/data`, '--exec-root', `${root}/run`];
  return Bun.spawn(
    [
      // As every service has it: a session of its own.
      'setsid',
      `${repository}/dist/berth`,
      'daemon',
      ...flags,
      '--pidfile',
      `${root}/pid`,
      '--bridge',
      'berthbench',
      '--cgroup-parent',
      '/berth-bench',
    ],
    { stdin: 'ignore', stdout: Bun.file(join(root, 'engine.log')), stderr: Bun.file(join(root, 'engine.errors')) },
  );
}

async function answers(contender: Contender): Promise<void> {
  const deadline = Date.now() + 60_000;
  while ((await contender.shell.run(`${contender.client} version >/dev/null 2>&1`)).code !== 0) {
    if (Date.now() > deadline) throw new Error(`${contender.name} does not answer`);
    await Bun.sleep(200);
  }
}

async function must(command: string[]): Promise<void> {
  const code = await Bun.spawn(command, { stdout: 'inherit', stderr: 'inherit' }).exited;
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}`);
}
