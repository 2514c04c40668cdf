/** How an engine over TCP is trusted: the flags `--tls…`, DOCKER_TLS, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or a context's files. */
import { readFile } from 'node:fs/promises';
import { BerthError } from '../../api/errors.ts';
import type { TlsSettings } from '../../client/transport/transport.ts';
import type { ContextTls } from './host.ts';

export interface TlsChoice {
  flags: { tls: boolean; tlsverify: boolean; tlscacert: string; tlscert: string; tlskey: string };
  environment: Record<string, string | undefined>;
  configDirectory: string;
  contextTls: ContextTls | undefined;
}

/** Undefined: clear text. Error: `invalid` for a file that cannot be read. */
export async function chooseTls(choice: TlsChoice): Promise<TlsSettings | undefined> {
  if (choice.contextTls) return fromContext(choice.contextTls);
  const { flags, environment } = choice;
  const verify = flags.tlsverify || Boolean(environment['DOCKER_TLS_VERIFY']);
  if (!verify && !flags.tls && !environment['DOCKER_TLS']) return undefined;
  const directory = environment['DOCKER_CERT_PATH'] || choice.configDirectory;
  const read = (flag: string, file: string, needed: boolean): Promise<string | undefined> =>
    readPem(flag || `${directory}/${file}`, needed || flag !== '');
  const [ca, cert, key] = await Promise.all([
    // Whoever is not checked needs nobody who vouches for him.
    verify ? read(flags.tlscacert, 'ca.pem', true) : undefined,
    read(flags.tlscert, 'cert.pem', false),
    read(flags.tlskey, 'key.pem', false),
  ]);
  return settings({ ca, cert, key, verify });
}

function fromContext({ files, skipVerify }: ContextTls): TlsSettings | undefined {
  if (Object.keys(files).length === 0 && !skipVerify) return undefined;
  return settings({ ca: files['ca.pem'], cert: files['cert.pem'], key: files['key.pem'], verify: !skipVerify });
}

interface Parts {
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  verify: boolean;
}

function settings({ ca, cert, key, verify }: Parts): TlsSettings {
  return { verify, ...(ca && { ca }), ...(cert && key && { cert, key }) };
}

async function readPem(path: string, needed: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (!needed && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new BerthError('invalid', `unable to resolve docker endpoint: ${(cause as Error).message}`, { cause });
  }
}
