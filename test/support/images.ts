/** Small images made here, so that no test needs a registry. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './repository.ts';
import { type TarEntry, tar } from './tar.ts';

export interface ImageRecipe {
  /** `name:tag`; none: the image stays without a name. */
  tags: string[];
  /** The base layer first, each a tar. */
  layers: Uint8Array[];
  /** The image config's `config`: `Cmd`, `Env`, … */
  config?: Record<string, unknown>;
}

/** A docker-archive (`docker save`) with one image. */
export function dockerArchive(recipe: ImageRecipe): Uint8Array<ArrayBuffer> {
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...recipe.config },
    rootfs: { type: 'layers', diff_ids: recipe.layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: recipe.layers.map((_, index) => ({
      created: '2024-01-01T00:00:00Z',
      created_by: `test layer ${index + 1}`,
    })),
  });
  const configName = `${sha256(config)}.json`;
  const layerNames = recipe.layers.map((layer, index) => `${index}-${sha256(layer).slice(0, 12)}/layer.tar`);
  return tar([
    { name: configName, content: config },
    ...recipe.layers.map((layer, index) => ({ name: layerNames[index] as string, content: layer })),
    {
      name: 'manifest.json',
      content: JSON.stringify([{ Config: configName, RepoTags: recipe.tags, Layers: layerNames }]),
    },
  ]);
}

/** One layer: Debian's static busybox, a link for each of its programs, the usual directories and users. */
export function busyboxLayer(): Uint8Array<ArrayBuffer> {
  const program = ['/bin/busybox', '/usr/bin/busybox'].map(readIfThere).find((bytes) => bytes !== null);
  if (!program) throw new Error('busybox is not installed: apt-get install busybox-static');
  const names = Bun.spawnSync(['busybox', '--list']).stdout.toString().split('\n').filter(Boolean);
  const directory = (name: string, mode = 0o755): TarEntry => ({ name: `${name}/`, type: '5', mode });
  return tar([
    ...['bin', 'dev', 'etc', 'home', 'proc', 'sys', 'usr', 'var', 'var/spool'].map((name) => directory(name)),
    directory('root', 0o700),
    directory('tmp', 0o1777),
    { name: 'bin/busybox', content: program, mode: 0o755 },
    ...names
      .filter((name) => name !== 'busybox')
      .map((name) => ({ name: `bin/${name}`, type: '1', linkName: 'bin/busybox', mode: 0o755 })),
    {
      name: 'etc/passwd',
      content:
        'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    },
    { name: 'etc/group', content: 'root:x:0:\ndaemon:x:1:\nusers:x:100:nobody\nnogroup:x:65534:\n' },
    { name: 'etc/shadow', content: 'root:*:19000:0:99999:7:::\n', mode: 0o640 },
    { name: 'etc/localtime', content: '' },
  ]);
}

/** Path of an archive of the image `busybox:latest`, made once. */
export function busyboxArchive(): string {
  const path = join(repository, 'build/cache/busybox-image.tar');
  if (readIfThere(path) === null) {
    mkdirSync(join(repository, 'build/cache'), { recursive: true });
    // Several test processes may come here at once: each writes its own file, the last rename wins.
    const own = `${path}.${process.pid}`;
    writeFileSync(own, dockerArchive({ tags: ['busybox:latest'], layers: [busyboxLayer()], config: { Cmd: ['sh'] } }));
    renameSync(own, path);
  }
  return path;
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function readIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    // Not there; the caller has another place to look or says what is missing.
    return null;
  }
}
