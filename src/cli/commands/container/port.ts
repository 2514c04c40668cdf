import type { PortBinding } from '../../../api/types/container.ts';
import { inspectContainer } from '../../../client/containers/inspect.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { joinAddress } from '../../render/ports.ts';

export const command = defineCommand({
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  options: {},
  words: { least: 1, most: 2 },
  complete: 'containers',
  async run({ cli, words }) {
    const [container, wanted] = words as [string, string | undefined];
    const { NetworkSettings } = await inspectContainer(cli.client, container);
    const ports = NetworkSettings.Ports ?? {};
    if (wanted !== undefined) {
      const [number, protocol = 'tcp'] = wanted.split('/');
      if (!/^\d+$/.test(number ?? '')) throw new ExitStatus(1, `Invalid port: ${JSON.stringify(number)}`);
      const bindings = ports[`${number}/${protocol}`];
      if (!bindings || bindings.length === 0)
        throw new ExitStatus(1, `Error: No public port '${wanted}' published for ${container}`);
      await cli.out.write(bindings.map((binding) => `${address(binding)}\n`).join(''));
      return 0;
    }
    const lines = Object.entries(ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => `${port} -> ${address(binding)}\n`),
    );
    await cli.out.write(lines.sort(comparePorts).join(''));
    return 0;
  },
});

function address(binding: PortBinding): string {
  return joinAddress(binding.HostIp, binding.HostPort);
}

/** By number, then by text. */
function comparePorts(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1);
}
