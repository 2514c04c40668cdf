/**
 * Stops and wakes all processes of a cgroup at once: the freezer controller of version 1
 * (https://docs.kernel.org/admin-guide/cgroup-v1/freezer-subsystem.html) or `cgroup.freeze` of version 2.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError } from '../../api/errors.ts';
import type { CgroupFacts } from './detect.ts';

export interface Freezer {
  /** Resolves when everything stands still. Error: `internal`. */
  freeze(cgroup: string): Promise<void>;
  /** A cgroup that is not frozen, or gone, is fine. */
  thaw(cgroup: string): Promise<void>;
}

const patience = 10_000;
const pollEvery = 5;

export function makeFreezer(facts: CgroupFacts): Freezer {
  const directory = facts.controllers.get('freezer');
  if (directory) return version1(directory);
  const unified = facts.version === 2 ? [...facts.controllers.values()][0] : undefined;
  return unified ? version2(unified) : unable;
}

function version1(root: string): Freezer {
  return {
    async freeze(cgroup) {
      const file = join(root, cgroup, 'freezer.state');
      await writeFile(file, 'FROZEN');
      // Processes that fork meanwhile may leave it at FREEZING; writing again catches them.
      await settle(
        async () => {
          if ((await readFile(file, 'utf8')).trim() === 'FROZEN') return true;
          await writeFile(file, 'FROZEN');
          return false;
        },
        () => writeFile(file, 'THAWED'),
      );
    },
    thaw: (cgroup) => writeIfThere(join(root, cgroup, 'freezer.state'), 'THAWED'),
  };
}

function version2(root: string): Freezer {
  return {
    async freeze(cgroup) {
      const file = join(root, cgroup, 'cgroup.freeze');
      await writeFile(file, '1');
      const events = join(root, cgroup, 'cgroup.events');
      await settle(
        async () => /^frozen 1$/m.test(await readFile(events, 'utf8')),
        () => writeFile(file, '0'),
      );
    },
    thaw: (cgroup) => writeIfThere(join(root, cgroup, 'cgroup.freeze'), '0'),
  };
}

const unable: Freezer = {
  freeze: () => Promise.reject(new BerthError('internal', 'the cgroup freezer is not mounted on this machine')),
  thaw: () => Promise.resolve(),
};

async function settle(done: () => Promise<boolean>, giveUp: () => Promise<void>): Promise<void> {
  const until = Date.now() + patience;
  while (!(await done())) {
    if (Date.now() > until) {
      await giveUp();
      throw new BerthError('internal', 'timed out while the processes were being frozen');
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, pollEvery);
    await promise;
  }
}

async function writeIfThere(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'r+' });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error;
  }
}
