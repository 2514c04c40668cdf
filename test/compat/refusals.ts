/** Sends the bad requests to an engine and collects what it says. */
import { busyboxLayer, dockerArchive } from '../support/images.ts';
import { type BadRequest, badRequests } from './bad-requests.ts';
import type { Ask } from './scenario.ts';

export interface Refusal {
  request: string;
  status: number;
  message: string;
}

const image = 'refusing:one';
const containers = { RUNNING: 'refuse-running', CREATED: 'refuse-created', PAUSED: 'refuse-paused' };

/** One line that names a request, also in the recording. */
function label({ method, path, body }: BadRequest): string {
  return `${method} ${path}${body === undefined ? '' : ` ${JSON.stringify(body)}`}`;
}

/** Error: where the engine refuses what it must not. */
export async function collectRefusals(ask: Ask): Promise<Refusal[]> {
  const ids: string[] = [];
  await ask('POST', '/images/load', dockerArchive({ tags: [image], layers: [busyboxLayer()] }));
  for (const name of Object.values(containers)) {
    const body = { Image: image, Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' } };
    const { status, value } = await ask('POST', `/containers/create?name=${name}`, body);
    if (status !== 201) throw new Error(`${name}: ${status} ${JSON.stringify(value)}`);
    ids.push((value as { Id: string }).Id);
  }
  await ask('POST', `/containers/${containers.RUNNING}/start`);
  await ask('POST', `/containers/${containers.PAUSED}/start`);
  await ask('POST', `/containers/${containers.PAUSED}/pause`);
  const named = (text: string): string =>
    text
      .replace(/RUNNING|CREATED|PAUSED/g, (key) => containers[key as keyof typeof containers])
      .replaceAll('IMAGE', image);
  const refusals: Refusal[] = [];
  try {
    for (const request of badRequests) {
      const body = request.body === undefined ? undefined : JSON.parse(named(JSON.stringify(request.body)));
      const { status, value } = await ask(request.method, named(request.path), body);
      await ask('DELETE', '/containers/refused?force=1');
      const { message } = (typeof value === 'object' && value ? value : { message: String(value ?? '') }) as Refusal;
      refusals.push({ request: label(request), status, message: anonymous(message ?? '', ids) });
    }
  } finally {
    for (const name of Object.values(containers)) await ask('DELETE', `/containers/${name}?force=1&v=1`);
    await ask('DELETE', `/images/${image}?force=1`);
  }
  return refusals;
}

function anonymous(message: string, ids: readonly string[]): string {
  return ids
    .reduce((text, id) => text.replaceAll(id, '<id>').replaceAll(id.slice(0, 12), '<short id>'), message)
    .replace(/1\.5\d$/, '1.5x');
}
