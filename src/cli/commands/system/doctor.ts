import { defineCommand } from '../../command.ts';
import type { Finding } from '../../host-program.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: { format: { kind: 'string', short: 'f', help: `How to print: 'json', or a Go template` } },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const findings = await (await cli.machine()).examine(socketOf(cli.client.host));
    if (options.format !== '') {
      const { renderObject } = await import('../../render/object.ts');
      await cli.out.write(renderObject(findings, options.format));
    } else await cli.out.write(`${findingsText(findings)}${summary(findings)}`);
    return findings.some(({ state }) => state === 'broken') ? 1 : 0;
  },
});

/** One that is elsewhere says nothing of this machine. */
function socketOf(host: string): string {
  return host.startsWith('unix://') ? host.slice('unix://'.length) : '';
}

function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const margin = ' '.repeat('missing  '.length + width + 1);
  return findings
    .map(({ name, state, detail, gives, remedy }) => {
      const line = `${(state === 'broken' ? 'BROKEN' : state).padEnd(8)} ${name.padEnd(width)} ${detail}\n`;
      return state === 'ok' ? line : `${line}${margin}gives: ${gives}\n${margin}remedy: ${remedy}\n`;
    })
    .join('');
}

function summary(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number => findings.filter((one) => one.state === state).length;
  if (count('broken') > 0) return `\n${count('broken')} broken, ${count('missing')} missing\n`;
  return `\nBerth can work here; ${count('missing') || 'nothing'} missing\n`;
}
