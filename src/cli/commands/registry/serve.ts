import { defineCommand, ExitStatus } from '../../command.ts';
import type { RegistrySettings } from '../../registry-program.ts';
import { rootOption } from './root-option.ts';

/** What Docker's registry image is told by its environment; people's compose files say it that way. */
const environmentNames = {
  root: 'REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY',
  address: 'REGISTRY_HTTP_ADDR',
  tlsCertificate: 'REGISTRY_HTTP_TLS_CERTIFICATE',
  tlsKey: 'REGISTRY_HTTP_TLS_KEY',
  htpasswd: 'REGISTRY_AUTH_HTPASSWD_PATH',
  mayDelete: 'REGISTRY_STORAGE_DELETE_ENABLED',
  mirror: 'REGISTRY_PROXY_REMOTEURL',
  mirrorUser: 'REGISTRY_PROXY_USERNAME',
  mirrorPassword: 'REGISTRY_PROXY_PASSWORD',
} as const;

export const command = defineCommand({
  usage: '[OPTIONS]',
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
    public: { kind: 'bool', help: 'Let everybody pull, also without login' },
    ...rootOption,
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
  words: { least: 0, most: 0 },
  async run({ cli, options, given }) {
    const { environment } = cli;
    const from = (name: keyof typeof environmentNames, value: string, option: string): string =>
      given.has(option) ? value : (environment[environmentNames[name]] ?? value);
    const { auth } = options;
    if (auth !== 'token' && auth !== 'basic')
      throw new ExitStatus(1, `invalid value "${auth}" for --auth: it is "token" or "basic"`);
    const certificate = from('tlsCertificate', options['tls-cert'], 'tls-cert');
    const key = from('tlsKey', options['tls-key'], 'tls-key');
    if ((certificate === '') !== (key === '')) throw new ExitStatus(1, '--tls-cert and --tls-key belong together');
    const htpasswd = from('htpasswd', options.htpasswd, 'htpasswd');
    const milliseconds = (nanoseconds: number): number => nanoseconds / 1e6;
    const settings: RegistrySettings = {
      root: from('root', options.root, 'root'),
      addresses: options.address.length > 0 ? options.address : [environment[environmentNames.address] || ':5000'],
      tlsCertificate: certificate,
      tlsKey: key,
      selfSignedNames: options['tls-self-signed'],
      authentication: htpasswd !== '' && !given.has('auth') ? 'basic' : auth,
      htpasswd,
      isPublic: options.public,
      mayDelete: !options['no-delete'] && environment[environmentNames.mayDelete] !== 'false',
      mayBeSparse: options.sparse,
      mirrors: options.mirror.length > 0 ? options.mirror : environmentMirror(environment),
      mirrorCredentials: options['mirror-credentials'],
      grace: milliseconds(options['gc-grace']),
      collectionInterval: milliseconds(options['gc-interval']),
      uploadLifetime: milliseconds(options['upload-lifetime']),
      debug: options.debug,
    };
    return (await cli.registry()).serve(settings);
  },
});

/** With its credentials, as an address has them. Error: exit status 1 for one that is none. */
function environmentMirror(environment: Record<string, string | undefined>): string[] {
  const address = environment[environmentNames.mirror];
  if (!address) return [];
  if (!URL.canParse(address)) throw new ExitStatus(1, `${environmentNames.mirror} is no address: ${address}`);
  const url = new URL(address);
  url.username = encodeURIComponent(environment[environmentNames.mirrorUser] ?? '') || url.username;
  url.password = encodeURIComponent(environment[environmentNames.mirrorPassword] ?? '') || url.password;
  return [url.href];
}
