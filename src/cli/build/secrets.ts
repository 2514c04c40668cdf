/** `--secret` and `--ssh`. */
import { access, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Pipe } from '../../client/build/build.ts';
import { ExitStatus } from '../command.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Secret = { file: string } | { value: string };

/** `id=name,src=file`, `id=name,env=VARIABLE`, `id=name`: a variable of that name, or a file. */
export function parseSecrets(texts: readonly string[], environment: Environment): Map<string, Secret> {
  const secrets = new Map<string, Secret>();
  for (const text of texts) {
    const fields = fieldsOf(text);
    const file = fields.get('src') ?? fields.get('source');
    const variable = fields.get('env');
    const id = fields.get('id') ?? '';
    if (id === '') throw new ExitStatus(1, `ERROR: failed to build: secret missing ID: ${text}`);
    const type = fields.get('type');
    if (type !== undefined && type !== 'file' && type !== 'env')
      throw new ExitStatus(1, `ERROR: unsupported secret type ${JSON.stringify(type)}`);
    if (variable !== undefined || type === 'env') secrets.set(id, { value: environment[variable ?? file ?? id] ?? '' });
    else if (file !== undefined) secrets.set(id, { file });
    else secrets.set(id, environment[id] === undefined ? { file: id } : { value: environment[id] });
  }
  return secrets;
}

/** Error: exit status 1 for a file that is not there, before anything is built. */
export async function checkSecrets(secrets: ReadonlyMap<string, Secret>): Promise<void> {
  for (const secret of secrets.values()) {
    if (!('file' in secret)) continue;
    const { file } = secret;
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (!isThere)
      throw new ExitStatus(
        1,
        `ERROR: failed to build: failed to stat ${file}: stat ${file}: no such file or directory`,
      );
  }
}

function fieldsOf(text: string): Map<string, string> {
  return new Map(
    text.split(',').map((field) => {
      const separator = field.indexOf('=');
      return separator < 0
        ? (['id', field] as const)
        : ([field.slice(0, separator).toLowerCase(), field.slice(separator + 1)] as const);
    }),
  );
}

/** Null: it was not given. Error: the system's for a file that cannot be read. */
export async function readSecret(secrets: ReadonlyMap<string, Secret>, id: string): Promise<Uint8Array | null> {
  const secret = secrets.get(id);
  if (!secret) return null;
  return 'value' in secret ? new TextEncoder().encode(secret.value) : readFile(secret.file);
}

/** `default`, `name`, `name=socket`: agents by name. Error: exit status 1 where there is no agent. */
export function parseSsh(texts: readonly string[], environment: Environment): Map<string, string> {
  const agents = new Map<string, string>();
  for (const text of texts) {
    const separator = text.indexOf('=');
    const id = separator < 0 ? text : text.slice(0, separator);
    const path = separator < 0 ? environment['SSH_AUTH_SOCK'] : text.slice(separator + 1);
    if (!path) throw new ExitStatus(1, 'ERROR: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set');
    agents.set(id, path);
  }
  return agents;
}

/** A connection to an agent; null: none of this name was given. */
export async function agentPipe(agents: ReadonlyMap<string, string>, id: string): Promise<Pipe | null> {
  const path = agents.get(id);
  if (path === undefined) return null;
  const socket = connect(path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('connect', resolve).once('error', reject);
  await promise;
  socket.on('error', () => undefined); // its end is all that anybody needs to know
  return {
    read: () => socket as AsyncIterable<Uint8Array>,
    write: async (bytes) => {
      if (socket.write(bytes)) return;
      const room = Promise.withResolvers<void>();
      socket.once('drain', room.resolve).once('close', room.resolve);
      await room.promise;
    },
    end: () => void socket.end(),
  };
}
