/** Docker's own clients out of Debian's packages. */
import { packagedProgram } from './debian-package.ts';

/** Path of the docker command. Debian 12 has it in `docker.io`, Debian 13 in `docker-cli`. */
export function dockerClient(): string {
  return packagedProgram('docker-client', { packages: ['docker-cli', 'docker.io'], program: 'usr/bin/docker' });
}

/** Path of the compose plugin, which is a program of its own too. Only Debian's testing release has today's version. */
export function composePlugin(): string {
  const program = 'usr/libexec/docker/cli-plugins/docker-compose';
  return packagedProgram('docker-compose', { packages: ['docker-compose'], program, suite: 'forky' });
}
