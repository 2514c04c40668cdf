import { defineCommand, ExitStatus } from '../../command.ts';
import type { NamespaceRole } from '../../registry-program.ts';
import { rootOption } from './root-option.ts';

const usage = 'public NAMESPACE | private NAMESPACE | grant NAMESPACE USER read|write|admin | revoke NAMESPACE USER';

export const command = defineCommand({
  usage,
  options: rootOption,
  words: { least: 2, most: 4 },
  complete: ['public', 'private', 'grant', 'revoke'],
  async run({ cli, options, words }) {
    const [verb = '', namespace = '', user = '', role = ''] = words;
    const wrong = new ExitStatus(1, `Usage:  berth registry namespace ${usage}`);
    const expected = { public: 2, private: 2, grant: 4, revoke: 3 }[verb];
    if (words.length !== expected || (verb === 'grant' && !isRole(role))) throw wrong;
    const accounts = await (await cli.registry()).accounts(options.root);
    try {
      if (verb === 'public' || verb === 'private') await accounts.setPublic(namespace, verb === 'public');
      else await accounts.grant(namespace, user, verb === 'grant' ? (role as NamespaceRole) : null);
      return 0;
    } finally {
      accounts.close();
    }
  },
});

function isRole(text: string): text is NamespaceRole {
  return ['read', 'write', 'admin'].includes(text);
}
