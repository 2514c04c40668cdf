import { parseDuration } from '../../../wire/time.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { readRegistryConfiguration } from '../../registry-configuration.ts';
import type { RegistrySettings } from '../../registry-program.ts';
import { rootOption } from './root-option.ts';

export const command = defineCommand({
  usage: '[OPTIONS] [CONFIG]',
  options: {
    address: { kind: 'list', short: 'a', value: 'host:port', shownDefault: ':5000', help: 'Where to listen' },
    auth: {
      kind: 'string',
      default: 'token',
      help: 'How clients show who they are, once there are users ("token", "basic")',
      complete: ['token', 'basic'],
    },
    debug: { kind: 'bool', short: 'D', help: 'Write every refused request to the log' },
    'gc-grace': { kind: 'duration', default: '1h', help: 'Leave blobs that no manifest names alone for so long' },
    'gc-interval': { kind: 'duration', default: '1m', help: 'Free what nobody needs every so often' },
    htpasswd: {
      kind: 'string',
      value: 'file',
      help: 'Users who may do everything, hashed by bcrypt',
      complete: 'files',
    },
    mirror: { kind: 'list', value: '[name=]url', help: 'Fetch from this registry what is not here, and keep it' },
    'mirror-credentials': {
      kind: 'string',
      value: 'file',
      help: "Credentials for the mirrored registries, in the form of docker's config.json",
      complete: 'files',
    },
    'no-delete': { kind: 'bool', help: 'Refuse to delete anything' },
    'no-pages': { kind: 'bool', help: 'Serve no pages for browsers' },
    public: { kind: 'bool', help: 'Let everybody pull, also without login' },
    ...rootOption,
    'sign-up': { kind: 'bool', help: 'Let visitors of the pages make accounts' },
    sparse: { kind: 'bool', help: 'Take manifests whose layers or platforms are not all here' },
    'tls-cert': { kind: 'string', value: 'file', help: 'Certificate (PEM)', complete: 'files' },
    'tls-key': { kind: 'string', value: 'file', help: 'Key of the certificate (PEM)', complete: 'files' },
    'tls-self-signed': { kind: 'list', value: 'name', help: 'Make a certificate for this host name or address' },
    'upload-lifetime': {
      kind: 'duration',
      default: '24h',
      help: 'Forget uploads that nobody goes on with after so long',
    },
  },
  words: { least: 0, most: 1 },
  complete: 'files',
  async run({ cli, options, given, words }) {
    const path = words[0] ?? cli.environment['REGISTRY_CONFIGURATION_PATH'] ?? '';
    const { values, ignored } = await readRegistryConfiguration(path, cli.environment);
    for (const key of ignored) await cli.err.write(`${key} changes nothing here\n`);
    const from = (key: string, value: string, option: string): string =>
      given.has(option) ? value : (values.get(key) ?? value);
    const { auth } = options;
    if (auth !== 'token' && auth !== 'basic')
      throw new ExitStatus(1, `invalid value "${auth}" for --auth: it is "token" or "basic"`);
    const certificate = from('http.tls.certificate', options['tls-cert'], 'tls-cert');
    const key = from('http.tls.key', options['tls-key'], 'tls-key');
    if ((certificate === '') !== (key === '')) throw new ExitStatus(1, '--tls-cert and --tls-key belong together');
    const htpasswd = from('auth.htpasswd.path', options.htpasswd, 'htpasswd');
    if (options['sign-up'] && options['no-pages'])
      throw new ExitStatus(1, '--sign-up needs the pages: leave --no-pages out');
    const milliseconds = (nanoseconds: number): number => nanoseconds / 1e6;
    const settings: RegistrySettings = {
      root: from('storage.filesystem.rootdirectory', options.root, 'root'),
      addresses: options.address.length > 0 ? options.address : [values.get('http.addr') || ':5000'],
      tlsCertificate: certificate,
      tlsKey: key,
      selfSignedNames: options['tls-self-signed'],
      authentication: htpasswd !== '' && !given.has('auth') ? 'basic' : auth,
      htpasswd,
      isPublic: options.public,
      hasPages: !options['no-pages'],
      maySignUp: options['sign-up'],
      mayDelete: !options['no-delete'] && values.get('storage.delete.enabled') !== 'false',
      mayBeSparse: options.sparse,
      mirrors: options.mirror.length > 0 ? options.mirror : configuredMirror(values),
      mirrorCredentials: options['mirror-credentials'],
      grace: milliseconds(options['gc-grace']),
      collectionInterval: milliseconds(options['gc-interval']),
      uploadLifetime: given.has('upload-lifetime')
        ? milliseconds(options['upload-lifetime'])
        : configuredLifetime(values, milliseconds(options['upload-lifetime'])),
      debug: options.debug || (values.get('log.level') ?? values.get('loglevel')) === 'debug',
    };
    // Whoever took the name of somebody else's namespace would have what is fetched for it.
    if (settings.maySignUp && settings.mirrors.length > 0)
      throw new ExitStatus(
        1,
        '--sign-up and --mirror do not go together: visitors could take names of the other registry',
      );
    return (await cli.registry()).serve(settings);
  },
});

/** With its credentials, as an address has them. Error: exit status 1 for one that is none. */
function configuredMirror(values: ReadonlyMap<string, string>): string[] {
  const address = values.get('proxy.remoteurl');
  if (!address) return [];
  if (!URL.canParse(address)) throw new ExitStatus(1, `proxy.remoteurl is no address: ${address}`);
  const url = new URL(address);
  url.username = encodeURIComponent(values.get('proxy.username') ?? '') || url.username;
  url.password = encodeURIComponent(values.get('proxy.password') ?? '') || url.password;
  return [url.href];
}

/** Milliseconds; without purging no upload is ever forgotten. */
function configuredLifetime(values: ReadonlyMap<string, string>, otherwise: number): number {
  if (values.get('storage.maintenance.uploadpurging.enabled') === 'false') return Number.POSITIVE_INFINITY;
  const age = values.get('storage.maintenance.uploadpurging.age');
  return age === undefined ? otherwise : Number(parseDuration(age)) / 1e6;
}
