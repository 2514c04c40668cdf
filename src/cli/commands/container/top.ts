import { topContainer } from '../../../client/containers/top.ts';
import { defineCommand } from '../../command.ts';

const minimumWidth = 20;
const padding = 3;

export const command = defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  options: {},
  words: { least: 1 },
  complete: 'containers',
  endsAtFirstWord: true,
  async run({ cli, words }) {
    const [container, ...psArguments] = words as [string, ...string[]];
    const { Titles, Processes } = await topContainer(cli.client, container, psArguments.join(' '));
    const rows = [Titles, ...(Processes ?? [])];
    const widths = Titles.map((_title, column) =>
      Math.max(minimumWidth, ...rows.map((row) => (row[column] ?? '').length + padding)),
    );
    const lines = rows.map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join(''),
    );
    await cli.out.write(`${lines.join('\n')}\n`);
    return 0;
  },
});
