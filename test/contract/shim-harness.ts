/** The contract's harness over real shims and crun. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FakeBehaviour } from '../../src/supervisor/fake-supervisor.ts';
import { ShimSupervisor } from '../../src/supervisor/shim-supervisor.ts';
import type { ExitStatus, ShimSpec, SupervisorEvents } from '../../src/supervisor/types.ts';
import { type BundleOptions, type Bundles, makeBundles, processOf } from './supervisor-bundle.ts';
import type { SupervisorHarness } from './supervisor-contract.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface ShimHarness extends SupervisorHarness {
  supervisor: ShimSupervisor;
  bundles: Bundles;
  /** Ids in the order in which their want of memory was told. */
  outOfMemory: string[];
  make(options: BundleOptions): ShimSpec;
  /** Another engine over the same containers, as after a crash of the first. */
  successor(): ShimSupervisor;
}

function commandOf(behaviour: FakeBehaviour): string[] {
  switch (behaviour.kind) {
    case 'wait':
      return ['sh', '-c', 'trap "exit 143" TERM; while :; do sleep 1000 & wait; done'];
    case 'cat':
      return ['cat'];
    case 'refused':
      return ['nosuch'];
    case 'exit':
      return [
        'sh',
        '-c',
        'printf %s "$1"; printf %s "$2" >&2; exit "$0"',
        String(behaviour.code),
        behaviour.stdout ?? '',
        behaviour.stderr ?? '',
      ];
  }
}

/** @param shim path of the program; by default $BERTH_TEST_SHIM (build/shim-sanitized for instance) or build/shim, made when it is older than its sources */
export function shimHarness(shim?: string): ShimHarness {
  let program = shim ?? process.env['BERTH_TEST_SHIM'];
  if (program === undefined) {
    const built = spawnSync(`${repository}/scripts/build-shim`, { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
    program = `${repository}/build/shim`;
  }
  const path = program;
  const bundles = makeBundles([
    'sh',
    'cat',
    'sleep',
    'true',
    'printf',
    'head',
    'stty',
    'tty',
    'dd',
    'yes',
    'kill',
    'seq',
  ]);
  const exits = new Map<string, PromiseWithResolvers<ExitStatus>>();
  const outOfMemory: string[] = [];
  const exitOf = (id: string): PromiseWithResolvers<ExitStatus> => {
    const known = exits.get(id);
    if (known) return known;
    const exit = Promise.withResolvers<ExitStatus>();
    exits.set(id, exit);
    return exit;
  };
  const events: SupervisorEvents = {
    onExit: (id, status) => exitOf(id).resolve(status),
    onOutOfMemory: (id) => void outOfMemory.push(id),
  };
  const supervisors = [new ShimSupervisor({ shim: path, events })];
  return {
    supervisor: supervisors[0]!,
    bundles,
    outOfMemory,
    make: (options) => bundles.make(options),
    container: (behaviour, overrides) => bundles.make({ command: commandOf(behaviour), ...overrides }),
    exec: (_, behaviour) => processOf(commandOf(behaviour)),
    exited: (id) => exitOf(id).promise,
    successor() {
      const next = new ShimSupervisor({ shim: path, events });
      supervisors.push(next);
      return next;
    },
    async close() {
      for (const supervisor of supervisors) supervisor.close();
      bundles.remove();
    },
  };
}
