import type { AuthConfig } from '../../../api/types/image.ts';
import { checkAuth } from '../../../client/system/auth.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { helperFor, registryKey, runHelper } from '../../config/credentials.ts';
import { updateConfigFile } from '../../config/update-config.ts';
import { askPassword, askUser } from '../../streams/ask.ts';
import { readAllInput } from '../../streams/prompt.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [SERVER]',
  options: {
    password: { kind: 'string', short: 'p', help: 'Password or token (visible to others: prefer --password-stdin)' },
    'password-stdin': { kind: 'bool', help: 'Take the password from standard input' },
    username: { kind: 'string', short: 'u', help: 'User name' },
  },
  words: { least: 0, most: 1 },
  async run({ cli, options, given, words }) {
    const key = registryKey((words[0] ?? 'docker.io').replace(/^https?:\/\//, '').replace(/\/.*$/, ''));
    if (given.has('password')) {
      if (options['password-stdin'])
        throw new ExitStatus(1, 'conflicting options: cannot specify both --password and --password-stdin');
      await cli.err.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
    }
    if (options['password-stdin'] && options.username === '')
      throw new ExitStatus(1, 'the --password-stdin option requires --username to be set');
    const username = options.username || (await askUser(cli));
    const password =
      options.password ||
      (options['password-stdin'] ? (await readAllInput()).replace(/\r?\n$/, '') : await askPassword(cli));
    const credentials: Partial<AuthConfig> = { username, password, serveraddress: key };
    const { Status, IdentityToken } = await checkAuth(cli.client, credentials);
    await remember(
      cli,
      key,
      IdentityToken ? { username, identitytoken: IdentityToken, serveraddress: key } : credentials,
    );
    await cli.out.write(`${Status || 'Login Succeeded'}\n`);
    return 0;
  },
});

/** In the helper that is configured for the registry, else in config.json, readable by its owner only. */
async function remember(cli: Cli, key: string, credentials: Partial<AuthConfig>): Promise<void> {
  const helper = helperFor(cli, key);
  if (helper) {
    const Username = credentials.identitytoken ? '<token>' : credentials.username;
    const Secret = credentials.identitytoken ?? credentials.password;
    const { status, output } = await runHelper(helper, 'store', JSON.stringify({ ServerURL: key, Username, Secret }));
    if (status !== 0)
      throw new ExitStatus(1, `error storing credentials - err: exit status ${status}, out: \`${output.trim()}\``);
    await updateConfigFile(cli.configDirectory, (config) => ({ ...config, auths: { ...config.auths, [key]: {} } }));
    return;
  }
  const path = `${cli.configDirectory}/config.json`;
  await cli.err.write(
    `\nWARNING! Your credentials are stored unencrypted in '${path}'.\nConfigure a credential helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n`,
  );
  const entry = credentials.identitytoken
    ? {
        auth: Buffer.from(`${credentials.username ?? ''}:`).toString('base64'),
        identitytoken: credentials.identitytoken,
      }
    : { auth: Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64') };
  await updateConfigFile(cli.configDirectory, (config) => ({ ...config, auths: { ...config.auths, [key]: entry } }));
}
