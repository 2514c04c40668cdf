import { defineCommand } from '../../command.ts';
export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'x',
  options: {},
  words: { least: 0, most: 0 },
  async run({ cli }) {
    const v = await cli.client.json<{ Version: string }>({ method: 'GET', path: '/version' });
    await cli.out.write(`${v.Version}\n`);
    return 0;
  },
});
