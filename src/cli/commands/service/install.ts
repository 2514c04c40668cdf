import { defineCommand } from '../../command.ts';
import { rootOption } from '../../service-root.ts';
import { printSteps } from '../../steps.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    'docker-socket': {
      kind: 'bool',
      help: "Link /run/docker.sock to the engine's socket, unless another engine has it",
    },
    group: {
      kind: 'string',
      default: 'berth',
      help: 'Group whose members may use the engine; made where it is missing',
    },
    'no-start': { kind: 'bool', help: 'Do not start the engine now' },
    root: rootOption,
    socket: { kind: 'bool', help: 'Let systemd open the socket and start the engine at the first call' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const host = await cli.machine();
    const { root, group, socket } = options;
    const wanted = {
      root,
      group,
      dockerSocket: options['docker-socket'],
      socketActivation: socket,
      start: !options['no-start'],
    };
    await printSteps(cli, (say) => host.install(wanted, say));
    return 0;
  },
});
