import { BerthError } from '../../../api/errors.ts';
import type { DeviceRequest } from '../../../api/types/host-config.ts';

/**
 * Refuses what `--gpus` and CDI names ask for, in dockerd's words for a machine without a device driver: no driver is built in, and a
 * container that ran without its device would be worse.
 */
export function refuseDeviceRequests(requests: readonly DeviceRequest[]): void {
  const [first] = requests;
  if (!first) return;
  if (first.Driver === 'cdi')
    throw new BerthError(
      'internal',
      `CDI device injection failed: unresolvable CDI devices ${(first.DeviceIDs ?? []).join(', ')}`,
    );
  const capabilities = (first.Capabilities ?? []).map((words) => `[${words.join(' ')}]`).join(' ');
  throw new BerthError(
    'internal',
    `could not select device driver ${JSON.stringify(first.Driver)} with capabilities: [${capabilities}]`,
  );
}
