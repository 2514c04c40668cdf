import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { programFiles } from '../../host/process/program-files.ts';
import type { BuiltInImage } from './built-in.ts';
import { embeddedHello } from './embedded-hello.ts';

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const helloWorld: BuiltInImage = {
  names: ['hello-world:latest'],
  async fill(directory) {
    const program = join(directory, 'hello');
    await writeFile(program, await readFile(embeddedHello), { mode: 0o755 });
    await chmod(program, 0o755);
    return ['hello'];
  },
  config: { Cmd: ['/hello'], Env: [path], WorkingDir: '/' },
};

const configuration = `version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
`;

/** This same program as a registry: what `docker run registry` means, at the same port and over the same directory. */
const registry: BuiltInImage = {
  names: ['registry:latest', 'registry:2', 'registry:3'],
  async fill(directory) {
    for (const { from, to } of await programFiles('/usr/bin/berth', '/bin/registry')) {
      const target = join(directory, to);
      await mkdir(dirname(target), { recursive: true, mode: 0o755 });
      if ('text' in from) await writeFile(target, from.text, { mode: 0o755 });
      else if ('link' in from) await symlink(from.link, target);
      else await cp(from.path, target, { recursive: true, dereference: true, preserveTimestamps: true });
    }
    for (const name of ['tmp', 'var/lib/registry', 'etc/docker/registry'])
      await mkdir(join(directory, name), { recursive: true });
    // Where people mount their own; version 3 of Docker's registry has it at the second path.
    await writeFile(join(directory, 'etc/docker/registry/config.yml'), configuration, { mode: 0o644 });
    await symlink('docker/registry', join(directory, 'etc/distribution'));
    await chmod(join(directory, 'tmp'), 0o1777);
    return [];
  },
  config: {
    Entrypoint: ['/bin/registry'],
    Cmd: ['/etc/docker/registry/config.yml'],
    Env: [path],
    ExposedPorts: { '5000/tcp': {} },
    Volumes: { '/var/lib/registry': {} },
    WorkingDir: '/',
  },
};

export const builtInImages: readonly BuiltInImage[] = [helloWorld, registry];
