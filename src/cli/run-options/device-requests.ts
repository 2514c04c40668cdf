import type { DeviceRequest } from '../../api/types/host-config.ts';
import { splitCsv } from '../grammar/values.ts';
import { pairs } from '../pairs.ts';

/**
 * `--gpus` (`all`, a count, or `device=0,driver=nvidia,capabilities=gpu`) and devices by CDI name.
 * Errors in Docker's words.
 */
export function deviceRequests(gpus: string, cdi: readonly string[]): DeviceRequest[] {
  const requests: DeviceRequest[] = [];
  if (gpus !== '') requests.push(gpuRequest(gpus));
  if (cdi.length > 0)
    requests.push({ Driver: 'cdi', Count: 0, DeviceIDs: [...cdi], Capabilities: null, Options: null });
  return requests;
}

export function checkGpus(text: string): string {
  gpuRequest(text);
  return text;
}

function gpuRequest(text: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: {} };
  const seen = new Set<string>();
  for (const field of splitCsv(text)) {
    const equals = field.indexOf('=');
    const key = equals < 0 ? 'count' : field.slice(0, equals);
    const value = field.slice(equals + 1);
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`);
    seen.add(key);
    if (key === 'count') request.Count = gpuCount(value);
    else if (key === 'device') request.DeviceIDs = value.split(',');
    else if (key === 'driver') request.Driver = value;
    else if (key === 'capabilities')
      request.Capabilities = [[...value.split(','), 'gpu'].filter((word, at, all) => all.indexOf(word) === at)];
    else if (key === 'options') request.Options = pairs(splitCsv(value));
    else throw new Error(`unexpected key '${key}' in '${field}'`);
  }
  if (!seen.has('count') && request.DeviceIDs === null) request.Count = 1;
  request.Capabilities ??= [['gpu']];
  return request;
}

function gpuCount(text: string): number {
  if (text === 'all') return -1;
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
}
