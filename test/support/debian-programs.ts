/** Real programs for containers: Debian's packages beside the machine's own C library and interpreter, all of it read-only. */
import { dirname } from 'node:path';
import { packagedProgram } from './debian-package.ts';

/** What programs out of packages need of the machine: flags of `run`. A C library and its friends, python3 with its modules. */
const machine = ['/usr', '/lib', '/lib64'].flatMap((path) => ['-v', `${path}:${path}:ro`]);

export interface DebianProgram {
  /** Of `run`, before the image. */
  flags: string[];
  /** Path in the container. */
  path: string;
}

export function nginx(): DebianProgram {
  const program = packagedProgram('nginx', { packages: ['nginx', 'nginx-core'], program: 'usr/sbin/nginx' });
  return { flags: [...machine, '-v', `${dirname(program)}:/opt/nginx:ro`], path: '/opt/nginx/nginx' };
}

/** Python that finds Flask. */
export function pythonWithFlask(): DebianProgram {
  const modules = ['flask', 'werkzeug', 'jinja2', 'click', 'itsdangerous', 'markupsafe', 'blinker'];
  const folder = 'usr/lib/python3/dist-packages';
  // The whole folder of each: beside a module stands what its package tells of itself, which some ask for.
  const flags = modules.flatMap((name) => {
    const file = packagedProgram(`python3-${name}`, { packages: [`python3-${name}`], program: `${folder}/${name}` });
    return ['-v', `${dirname(file)}:/opt/python/${name}:ro`];
  });
  const path = modules.map((name) => `/opt/python/${name}`).join(':');
  return { flags: [...machine, ...flags, '-e', `PYTHONPATH=${path}`], path: '/usr/bin/python3' };
}

/** Folders of dockerd and of what it starts, for `PATH`. */
export function dockerdFolders(): string[] {
  const dockerd = packagedProgram('docker-daemon', { packages: ['docker.io'], program: 'usr/sbin/dockerd' });
  const containerd = packagedProgram('containerd', { packages: ['containerd'], program: 'usr/bin/containerd' });
  return [dirname(dockerd), dirname(containerd)];
}
