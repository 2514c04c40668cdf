import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import type { RegistryAccounts } from '../../registry-program.ts';
import { renderTable } from '../../render/table.ts';
import { askPassword } from '../../streams/ask.ts';
import { readAllInput } from '../../streams/prompt.ts';
import { rootOption } from './root-option.ts';

const usage = 'add|rm|ls|passwd [OPTIONS] [NAME]';

export const command = defineCommand({
  usage,
  options: {
    admin: { kind: 'bool', help: 'May do everything everywhere (add)' },
    'password-stdin': { kind: 'bool', help: 'Take the password from standard input (add, passwd)' },
    ...rootOption,
  },
  words: { least: 1, most: 2 },
  complete: ['add', 'rm', 'ls', 'passwd'],
  async run({ cli, options, words }) {
    const [verb = '', name = ''] = words;
    if (!['add', 'rm', 'ls', 'passwd'].includes(verb))
      throw new ExitStatus(1, `unknown command: berth registry user ${verb}\n\nUsage:  berth registry user ${usage}`);
    if (name === '' && verb !== 'ls') throw new ExitStatus(1, `berth registry user ${verb} needs a name`);
    const accounts = await (await cli.registry()).accounts(options.root);
    try {
      if (verb === 'ls') await list(cli, accounts);
      else if (verb === 'rm') await accounts.remove(name);
      else {
        const password = options['password-stdin']
          ? (await readAllInput()).replace(/\r?\n$/, '')
          : await askPassword(cli);
        if (password === '') throw new ExitStatus(1, 'the password is empty');
        if (verb === 'add') await accounts.add({ name, password, isAdmin: options.admin });
        else await accounts.setPassword(name, password);
      }
      return 0;
    } finally {
      accounts.close();
    }
  },
});

async function list(cli: Cli, accounts: RegistryAccounts): Promise<void> {
  const rows = accounts
    .users()
    .map(({ name, isAdmin, created }) => [
      name,
      isAdmin ? 'admin' : 'user',
      new Date(created).toISOString().slice(0, 10),
    ]);
  await cli.out.write(renderTable([['NAME', 'ROLE', 'CREATED'], ...rows]));
}
