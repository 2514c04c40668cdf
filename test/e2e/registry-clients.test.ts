/** Our registry behind an engine's mirror setting, lists of manifests, and the clients of others. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BerthRegistry } from '../support/berth-registry.ts';
import { run, runOk } from '../support/command.ts';
import { packagedProgram } from '../support/debian-package.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { freePort } from '../support/free-port.ts';

let engine: TestEngine;
let registry: BerthRegistry;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-clients-'));
  registry = await BerthRegistry.start();
  engine = await startEngine({ images: ['busybox'] });
});
afterAll(async () => {
  await engine.cleanUp();
  await registry.stop();
  rmSync(directory, { recursive: true });
});

test('an engine whose mirror goes on when its upstream is stopped', async () => {
  const mirror = await BerthRegistry.start({ options: ['--mirror', registry.url] });
  // The mirror stands in for a registry that is not there at all.
  const upstream = `127.0.0.1:${await freePort()}`;
  const config = { 'registry-mirrors': [`${upstream}=${mirror.url}`] };
  const mirrored = await startEngine({ config });
  try {
    await engine.ok('tag', 'busybox', `${registry.host}/shop/web:v1`);
    await engine.ok('push', `${registry.host}/shop/web:v1`);
    const name = `${upstream}/shop/web:v1`;
    expect(await mirrored.ok('pull', name)).toContain('Status: Downloaded newer image');
    await mirrored.ok('rmi', name);
    await registry.kill();
    expect(await mirrored.ok('pull', name)).toContain('Status: Downloaded newer image');
    // Without the mirror too, the fallback is told and the registry's own error is what counts.
    await mirror.kill();
    await mirrored.ok('rmi', name);
    const gone = await mirrored.berth('pull', name);
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining(`${upstream}: connect: connection refused`)]);
  } finally {
    await registry.start();
    await mirrored.cleanUp();
    await mirror.stop();
  }
});

test('manifest create, annotate, inspect, push, rm', async () => {
  const { host } = registry;
  for (const name of ['one', 'two']) {
    await engine.ok('tag', 'busybox', `${host}/many/${name}`);
    await engine.ok('push', '-q', `${host}/many/${name}`);
  }
  const list = `${host}/many/list:v1`;
  expect(await engine.ok('manifest', 'create', list, `${host}/many/one`)).toBe(`Created manifest list ${list}`);
  const again = await engine.berth('manifest', 'create', list, `${host}/many/two`);
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringContaining('refusing to amend an existing manifest list'),
  ]);
  await engine.ok('manifest', 'create', '--amend', list, `${host}/many/two`);
  await engine.ok('manifest', 'annotate', '--arch', 'arm64', '--variant', 'v8', list, `${host}/many/two`);
  const local = JSON.parse(await engine.ok('manifest', 'inspect', list));
  expect(local.manifests.map((entry: { platform: object }) => entry.platform)).toEqual([
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm64', os: 'linux', variant: 'v8' },
  ]);
  const output = (await engine.ok('manifest', 'push', '--purge', list)).split('\n');
  expect(output[0]).toMatch(new RegExp(`^Pushed ref ${host}/many/one@sha256:[0-9a-f]{64} with digest: sha256:`));
  const digest = output.at(-1) as string;
  const response = await fetch(`${registry.url}/v2/many/list/manifests/v1`);
  expect([response.headers.get('docker-content-digest'), await response.json()]).toEqual([digest, local]);
  // From the registry now, and every part of it is in the list's own repository.
  expect(JSON.parse(await engine.ok('manifest', 'inspect', list))).toEqual(local);
  const verbose = JSON.parse(await engine.ok('manifest', 'inspect', '-v', list));
  expect(verbose[0].Ref).toStartWith(`${host}/many/list@sha256:`);
  await engine.ok('pull', '-q', list);
  expect((await engine.berth('manifest', 'rm', list)).stderr).toContain(`No such manifest: ${list}`);
  // Docker's own client reads it too.
  expect((await engine.docker('manifest', 'inspect', '--insecure', list)).stdout).toContain('"variant": "v8"');
});

/** A client out of Debian's packages, with everything it keeps below one directory. */
interface Tool {
  push(target: string, login: string | null): string[];
  pull(target: string, login: string | null): string[];
  env: Record<string, string>;
}

const part = (name: string, packages: string[], program: string): string =>
  packagedProgram(name, { packages, program });

function skopeo(storage: string, archive: string): Tool {
  mkdirSync(storage, { recursive: true });
  const copy = [part('skopeo', ['skopeo'], 'usr/bin/skopeo'), '--insecure-policy', 'copy'];
  const options = (side: 'src' | 'dest', login: string | null): string[] => [
    `--${side}-tls-verify=false`,
    ...(login ? [`--${side}-creds`, login] : []),
  ];
  return {
    env: {},
    push: (target, login) => [...copy, ...options('dest', login), `docker-archive:${archive}`, target],
    pull: (target, login) => [...copy, ...options('src', login), target, `oci:${storage}/oci:${target.length}`],
  };
}

async function containersTool(name: 'buildah' | 'podman', storage: string, archive: string): Promise<Tool> {
  // Not every version asks its flag for the policy at a push; all look into the user's own folder.
  const policy = join(storage, '.config/containers/policy.json');
  mkdirSync(dirname(policy), { recursive: true });
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  const roots = ['--root', `${storage}/root`, '--runroot', `${storage}/run`, '--storage-driver', 'vfs'];
  // Podman wants to see what it would run containers with, though it runs none here.
  const conmon = name === 'podman' ? ['--conmon', part('conmon', ['conmon'], 'usr/bin/conmon')] : [];
  const libraries = part('libsubid', ['libsubid4', 'libsubid5'], 'usr/lib/x86_64-linux-gnu');
  const configuration = join(storage, 'containers.conf');
  const helpers = part('netavark', ['netavark'], 'usr/lib/podman');
  writeFileSync(configuration, `[engine]\nhelper_binaries_dir = ["${helpers}"]\n`);
  const program = [part(name, [name], `usr/bin/${name}`), ...roots, ...conmon];
  const env = { HOME: storage, LD_LIBRARY_PATH: libraries, CONTAINERS_CONF: configuration };
  const options = (login: string | null): string[] => [
    ...['--signature-policy', policy, '--tls-verify=false'],
    ...(login ? ['--creds', login] : []),
  ];
  const pulled = await runOk([...program, 'pull', '-q', '--signature-policy', policy, `docker-archive:${archive}`], {
    env,
  });
  const image = pulled.split('\n').at(-1) as string;
  return {
    env,
    push: (target, login) => [...program, 'push', ...options(login), image, target],
    pull: (target, login) => [...program, 'pull', ...options(login), target],
  };
}

describe('clients of others: the same digest in and out, anonymous and logged in', () => {
  test.each(['skopeo', 'buildah', 'podman'] as const)('%s', async (name) => {
    const archive = join(directory, `${name}.tar`);
    await engine.ok('save', '-o', archive, 'busybox');
    const storage = join(directory, name);
    const { env, push, pull } = await (name === 'skopeo'
      ? skopeo(storage, archive)
      : containersTool(name, storage, archive));
    const guarded = await BerthRegistry.start({ users: { alice: 'secret' } });
    const digestAt = async (host: string, login: string | null): Promise<string | null> => {
      const headers = login ? { authorization: `Basic ${Buffer.from(login).toString('base64')}` } : undefined;
      const answer = await fetch(`http://${host}/v2/alice/app/manifests/${name}`, { headers });
      return answer.headers.get('docker-content-digest');
    };
    try {
      for (const [host, login] of [
        [registry.host, null],
        [guarded.host, 'alice:secret'],
      ] as const) {
        const target = `docker://${host}/alice/app:${name}`;
        await runOk(push(target, login), { env });
        await runOk(pull(target, login), { env });
        expect(await digestAt(host, login)).toStartWith('sha256:');
      }
      const digest = await digestAt(registry.host, null);
      expect(await engine.ok('pull', `${registry.host}/alice/app:${name}`)).toContain(`Digest: ${digest}`);
      const denied = await run(push(`docker://${guarded.host}/alice/app:x`, null), { env });
      expect([denied.code !== 0, denied.stderr]).toEqual([
        true,
        expect.stringMatching(/authentication required|unauthorized/),
      ]);
    } finally {
      await guarded.stop();
    }
  });
});
