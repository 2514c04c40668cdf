import { FakeSupervisor } from '../../src/supervisor/fake-supervisor.ts';
import type { ExitStatus, ShimSpec } from '../../src/supervisor/types.ts';
import { type SupervisorHarness, supervisorContract } from './supervisor-contract.ts';

function fakeHarness(): SupervisorHarness {
  const exits = new Map<string, PromiseWithResolvers<ExitStatus>>();
  const supervisor = new FakeSupervisor({
    onExit: (id, status) => exits.get(id)?.resolve(status),
    onOutOfMemory: () => undefined,
  });
  let number = 0;
  return {
    supervisor,
    container(behaviour, overrides) {
      const id = (++number).toString(16).padStart(64, '0');
      supervisor.plan(id, behaviour);
      const spec: ShimSpec = {
        id,
        directory: `/nowhere/${id}`,
        runtime: { path: '/usr/bin/crun', root: '/nowhere/runtime', arguments: [] },
        root: { kind: 'bind', source: '/' },
        terminal: false,
        stdin: 'closed',
        size: null,
        log: { driver: 'none' },
        network: { kind: 'host' },
        cgroupPath: `/nowhere/${id}`,
        attachments: [],
      };
      return { ...spec, ...overrides };
    },
    exec(execId, behaviour) {
      supervisor.plan(execId, behaviour);
      return {};
    },
    exited(id) {
      const exit = Promise.withResolvers<ExitStatus>();
      exits.set(id, exit);
      return exit.promise;
    },
    async close() {
      supervisor.close();
    },
  };
}

supervisorContract('fake', fakeHarness);
