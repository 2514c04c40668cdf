/** Makes a container for every mount case and collects what the engine says, what inspect shows and what the container sees. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { busyboxLayer, dockerArchive } from '../support/images.ts';
import { host, type MountCase, mountCases, volume } from './mount-cases.ts';
import type { Ask } from './scenario.ts';

export interface MountOutcome {
  request: string;
  create: { status: number; message: string };
  /** Only where the container could be made. */
  inspect?: unknown;
  start?: { status: number; message: string };
  /** Lines of mountinfo below /m and /lent, without what differs from run to run. */
  seen?: string[];
}

const image = 'mount-cases:one';
const lender = 'mount-cases-lender';
const script = 'grep -E " /(m|lent)" /proc/self/mountinfo; true';

export async function collectMountOutcomes(ask: Ask): Promise<MountOutcome[]> {
  rmSync(host, { recursive: true, force: true });
  mkdirSync(`${host}/d`, { recursive: true });
  writeFileSync(`${host}/f`, 'file');
  symlinkSync('/etc', `${host}/out`);
  await ask('POST', '/images/load', dockerArchive({ tags: [image], layers: [busyboxLayer()] }));
  const lent = { Binds: [`${host}:/lent`, `${volume}:/lent-volume:ro`], Tmpfs: { '/lent-tmpfs': '' } };
  const fill = { Image: image, Cmd: ['sh', '-c', 'mkdir /v/d; echo 1 >/v/d/f; ln -s /etc /v/out'] };
  const outcomes: MountOutcome[] = [];
  try {
    await run(ask, { ...fill, HostConfig: { NetworkMode: 'none', Binds: [`${volume}:/v`] } });
    await ask('POST', `/containers/create?name=${lender}`, {
      Image: image,
      Cmd: ['true'],
      Volumes: { '/lent-anonymous': {} },
      HostConfig: lent,
    });
    for (const one of mountCases) {
      outcomes.push(await outcome(ask, one));
      await ask('DELETE', '/volumes/mount-cases-made');
      await ask('DELETE', '/volumes/v');
    }
  } finally {
    await ask('DELETE', `/containers/${lender}?force=1&v=1`);
    await ask('DELETE', `/volumes/${volume}`);
    await ask('DELETE', `/images/${image}?force=1`);
    rmSync(host, { recursive: true, force: true });
  }
  return outcomes;
}

async function run(ask: Ask, body: unknown): Promise<void> {
  const { value } = await ask('POST', '/containers/create', body);
  const { Id } = value as { Id: string };
  await ask('POST', `/containers/${Id}/start`);
  await ask('POST', `/containers/${Id}/wait`);
  await ask('DELETE', `/containers/${Id}?force=1`);
}

const messageOf = (value: unknown): string =>
  typeof value === 'object' && value && 'message' in value ? String(value.message) : '';

async function outcome(ask: Ask, one: MountCase): Promise<MountOutcome> {
  const named = (text: string): string =>
    text.replaceAll('HOST', host).replaceAll('VOL', volume).replaceAll('IMAGE', image).replaceAll('LENDER', lender);
  const { NetworkMode, ...rest } = { NetworkMode: 'none', ...one.host };
  const body = {
    Image: image,
    Cmd: ['sh', '-c', script],
    Volumes: one.volumes ? JSON.parse(named(JSON.stringify(one.volumes))) : undefined,
    HostConfig: { NetworkMode, ...JSON.parse(named(JSON.stringify(rest))) },
  };
  const created = await ask('POST', '/containers/create', body);
  const result: MountOutcome = {
    request: JSON.stringify(one),
    create: { status: created.status, message: plain(messageOf(created.value)) },
  };
  if (created.status !== 201) return result;
  const { Id } = created.value as { Id: string };
  const shown = (await ask('GET', `/containers/${Id}/json`)).value as InspectedMounts;
  const byTarget = [...shown.Mounts].sort((a, b) => (a.Destination < b.Destination ? -1 : 1));
  const { Binds, Mounts, Tmpfs, VolumesFrom } = shown.HostConfig;
  result.inspect = JSON.parse(
    plain(JSON.stringify({ mounts: byTarget, Binds, Mounts, Tmpfs, VolumesFrom, Volumes: shown.Config.Volumes })),
  );
  const started = await ask('POST', `/containers/${Id}/start`);
  result.start = { status: started.status, message: plain(messageOf(started.value)) };
  if (started.status === 204) {
    await ask('POST', `/containers/${Id}/wait`);
    const { value } = await ask('GET', `/containers/${Id}/logs?stdout=1&stderr=1`);
    result.seen = String(value)
      .split('\n')
      .filter((line) => line !== '')
      .map(seenMount)
      .sort();
  }
  await ask('DELETE', `/containers/${Id}?force=1&v=1`);
  return result;
}

interface InspectedMounts {
  Mounts: { Destination: string }[];
  HostConfig: Record<string, unknown>;
  Config: { Volumes: unknown };
}

/** `36 35 98:0 /root /target options shared:1 - type source super`, with a frame's head before it. */
function seenMount(line: string): string {
  const words = line.slice(8).split(' ');
  const dash = words.indexOf('-');
  const [, , , , target, options] = words;
  const travels = words.slice(6, dash).map((word) => word.replace(/:\d+$/, ''));
  const type = words[dash + 1] as string;
  const more = type === 'tmpfs' ? (words[dash + 3] as string) : '';
  return [target, options, ...travels, type, more].join(' ').trim();
}

/** Without identities and the places where engines keep volumes. */
function plain(text: string): string {
  return text
    .replace(/[0-9a-f]{64}/g, '<id>')
    .replace(/"Source":"(sha256:<id>|[^"]*\/<id>\/merged)"/g, '"Source":"<image>"')
    .replace(/"Source":"\/[^"]*\/volumes\/([^"]*)"/g, '"Source":"<volumes>/$1"')
    .replace(/\/[^ ":]*\/volumes\//g, '<volumes>/');
}
