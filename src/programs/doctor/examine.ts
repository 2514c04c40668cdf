/** `berth doctor`: names what is missing on this machine, and what it would give. Changes nothing. */
import { errorMessage } from '../../api/errors.ts';
import type { Finding } from '../../cli/host-program.ts';
import { type DaemonConfig, defaultConfig } from '../daemon/config.ts';
import { readDaemonArguments } from '../daemon/read-config.ts';
import { engineSocket } from '../service/places.ts';
import { checkCgroups, checkKernel, finding, fine, missing } from './kernel-checks.ts';
import {
  checkDisk,
  checkEngine,
  checkForwarding,
  checkLimits,
  checkPrograms,
  checkRegistries,
  checkRuntime,
} from './machine-checks.ts';
import { machineProbe, type Probe } from './probe.ts';

export { machineProbe };

export async function examine(probe: Probe = machineProbe(engineSocket)): Promise<Finding[]> {
  const config = readConfig();
  const { 'data-root': dataRoot, 'registry-mirrors': mirrors } =
    typeof config === 'string' ? defaultConfig('') : config;
  const parts = await Promise.all([
    [
      finding(
        'privileges',
        'an engine: it needs root',
        probe.isRoot ? fine('root') : missing('not root: some of this cannot be seen', 'sudo berth doctor'),
      ),
    ],
    checkEngine(probe, config),
    [await checkRuntime(probe)],
    checkKernel(probe),
    checkCgroups(probe),
    checkForwarding(probe),
    [await checkDisk(probe, dataRoot)],
    checkLimits(probe),
    checkPrograms(probe),
    checkRegistries(probe, mirrors),
  ]);
  return parts.flat();
}

/** The configuration of this machine's engine, or why it cannot be used. */
function readConfig(): DaemonConfig | string {
  try {
    return readDaemonArguments([]).config;
  } catch (error) {
    return errorMessage(error);
  }
}
