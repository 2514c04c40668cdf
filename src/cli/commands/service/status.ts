import { defineCommand } from '../../command.ts';
import type { ServiceStatus } from '../../host-program.ts';
import { rootOption } from '../../service-root.ts';

/** As systemctl has them: a service that does not run, and one that is not there. */
const exitStatus = { stopped: 3, missing: 4 };

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    format: { kind: 'string', short: 'f', help: `How to print: 'json', or a Go template` },
    root: rootOption,
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const host = await cli.machine();
    const status = await host.status(options.root);
    if (options.format !== '') {
      const { renderObject } = await import('../../render/object.ts');
      await cli.out.write(renderObject(status, options.format));
    } else await cli.out.write(statusText(status));
    if (!status.installed) return exitStatus.missing;
    return status.state === 'active' || options.root !== '/' ? 0 : exitStatus.stopped;
  },
});

function statusText(status: ServiceStatus): string {
  if (!status.installed) return 'not installed\n';
  const facts = {
    State: `${status.state || 'unknown'}${status.pid > 0 ? ` (pid ${status.pid})` : ''}`,
    'Starts with the machine': status.enabled ? 'yes' : 'no',
    Program: status.program,
    Socket: `${status.socket}${status.socketActivation ? ' (opened by systemd)' : ''}`,
    'Docker socket': status.dockerSocket ? '/run/docker.sock' : 'not linked',
    Group: `${status.group}${status.members.length > 0 ? `: ${status.members.join(', ')}` : ''}`,
  };
  return Object.entries(facts)
    .map(([name, value]) => `${`${name}:`.padEnd(25)}${value}\n`)
    .join('');
}
