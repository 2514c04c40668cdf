import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceRequest } from '../../../api/types/host-config.ts';
import type { RuntimeSpec } from '../../../oci/runtime-spec.ts';
import { addRequestedDevices } from './device-requests.ts';

let system: string;
let run: string;
beforeAll(async () => {
  system = await mkdtemp(join(tmpdir(), 'cdi-'));
  run = await mkdtemp(join(tmpdir(), 'cdi-'));
  const devices = [
    {
      name: '0',
      containerEdits: {
        env: ['CARD=0'],
        deviceNodes: [{ path: '/dev/card', hostPath: '/dev/null', fileMode: 0o600, gid: 44 }],
      },
    },
    { name: 'all', containerEdits: { env: ['CARD=all'] } },
  ];
  const containerEdits = {
    mounts: [{ hostPath: '/etc/hostname', containerPath: '/vendor', options: ['ro', 'bind'] }],
    hooks: [{ hookName: 'createContainer', path: '/bin/true', args: ['true'] }],
    additionalGids: [44],
  };
  await writeFile(join(system, 'gpu.json'), JSON.stringify({ kind: 'nvidia.com/gpu', devices, containerEdits }));
  await writeFile(join(system, 'broken.json'), '{');
  await writeFile(
    join(system, 'net.yaml'),
    'kind: v.com/net\ndevices:\n- name: x\n  containerEdits:\n    env: [FROM=system]\n',
  );
  await writeFile(
    join(run, 'net.yml'),
    'kind: v.com/net\ndevices:\n- name: x\n  containerEdits:\n    env: [FROM=run]\n',
  );
});
afterAll(() => Promise.all([system, run].map((path) => rm(path, { recursive: true }))));

const request = (changes: Partial<DeviceRequest>): DeviceRequest => ({
  ...{ Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: null },
  ...changes,
});

async function specWith(...requests: DeviceRequest[]): Promise<RuntimeSpec> {
  const spec = {
    process: { env: ['A=1'], user: { uid: 0, gid: 0 } },
    mounts: [],
    linux: { resources: { devices: [] } },
  } as unknown as RuntimeSpec;
  await addRequestedDevices(spec, requests, [system, run, '/nowhere']);
  return spec;
}

describe('devices by name', () => {
  test('bring their variables, nodes and rights, and once what all of the vendor need', async () => {
    const spec = await specWith(request({ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=0', 'nvidia.com/gpu=all'] }));
    expect(spec.process.env).toEqual(['A=1', 'CARD=all']);
    expect(spec.linux.devices).toEqual([
      { path: '/dev/card', type: 'c', major: 1, minor: 3, fileMode: 0o600, uid: statSync('/dev/null').uid, gid: 44 },
    ]);
    expect(spec.linux.resources.devices).toEqual([{ allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' }]);
    expect(spec.mounts).toEqual([
      { destination: '/vendor', source: '/etc/hostname', type: 'bind', options: ['ro', 'bind'] },
    ]);
    expect(spec.hooks).toEqual({ createContainer: [{ path: '/bin/true', args: ['true'] }] });
    expect(spec.process.user.additionalGids).toEqual([44]);
  });

  test('of the later directory have precedence; YAML is read as well', async () => {
    expect((await specWith(request({ Driver: 'cdi', DeviceIDs: ['v.com/net=x'] }))).process.env).toEqual([
      'A=1',
      'FROM=run',
    ]);
  });

  test('that nobody describes are refused', async () => {
    const wanted = request({ Driver: 'cdi', DeviceIDs: ['v.com/net=y', 'v.com/net=x', 'w.com/z=1'] });
    expect(specWith(wanted)).rejects.toThrow('unresolvable CDI devices v.com/net=y, w.com/z=1');
  });
});

describe('devices by capability', () => {
  test.each([
    [{ Count: -1 }, 'CARD=all'],
    [{ Count: 1 }, 'CARD=0'],
    [{ DeviceIDs: ['0'], Driver: 'nvidia' }, 'CARD=0'],
  ])('%j', async (changes, variable) => {
    const spec = await specWith(request({ Capabilities: [['gpu']], ...changes }));
    expect(spec.process.env).toEqual(['A=1', variable]);
  });

  test.each([
    [{ Count: 2, Capabilities: [['gpu']] }, 'unresolvable CDI devices nvidia.com/gpu=1'],
    [{ Capabilities: [['tpu', 'x']] }, 'could not select device driver "" with capabilities: [[tpu x]]'],
    [{ Driver: 'other', Capabilities: [['gpu']] }, 'could not select device driver "other" with capabilities: [[gpu]]'],
  ])('%j is refused', async (changes, message) => {
    expect(specWith(request(changes))).rejects.toThrow(message);
  });
});
