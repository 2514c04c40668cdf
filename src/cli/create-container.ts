/** What run and create share: the image pulled where it is missing, the container made, its id written down. */
import { BerthError, errorKind, errorMessage } from '../api/errors.ts';
import { createContainer } from '../client/containers/create.ts';
import { type Cli, ExitStatus } from './command.ts';
import { proxyVariables } from './config/proxies.ts';
import { describeError } from './describe-error.ts';
import { buildContainer, type ContainerFlags } from './run-options/build.ts';

/** What the engine or the command line itself failed at, as against the program in the container. */
export const ownFailureStatus = 125;

export interface CreateInput {
  flags: ContainerFlags;
  given: ReadonlySet<string>;
  words: readonly string[];
  detach: boolean;
  /** `run` or `create`, for the line about help. */
  verb: string;
}

/** @returns the container's id. Errors: exit status 125 with Docker's text. */
export async function makeContainer(cli: Cli, input: CreateInput): Promise<string> {
  const { flags } = input;
  // `create` has the engine's own errors alone; what the command line refuses comes with a line about help.
  let building = true;
  try {
    checkPullPolicy(flags.pull);
    await checkImageName(input.words[0] as string);
    const body = await buildContainer({ ...input, environment: cli.environment });
    body.Env = [...proxyVariables(cli, body.Env ?? []), ...(body.Env ?? [])];
    const finish = flags['use-api-socket'] ? await (await import('./api-socket.ts')).lendApiSocket(cli, body) : null;
    if (flags.tty && body.HostConfig) await tellConsoleSize(body.HostConfig);
    await checkIdFile(flags.cidfile);
    if (flags.pull === 'always') await pull(cli, flags);
    building = false;
    const create = () => createContainer(cli.client, { name: flags.name, platform: flags.platform, body });
    const made = await create().catch(async (error: unknown) => {
      if (flags.pull !== 'missing' || errorKind(error) !== 'not-found' || !/No such image/i.test(errorMessage(error)))
        throw error;
      await tellMissing(cli, flags, body.Image);
      await pull(cli, flags, body.Image);
      return create();
    });
    for (const warning of made.Warnings ?? []) await cli.err.write(`WARNING: ${warning}\n`);
    if (flags.cidfile) await Bun.write(flags.cidfile, made.Id);
    await finish?.(made.Id);
    return made.Id;
  } catch (error) {
    if (error instanceof ExitStatus) throw error;
    if (!building && input.verb === 'create') throw error;
    throw withHelp(error, input.verb);
  }

  async function pull(session: Cli, options: ContainerFlags, image = input.words[0] as string): Promise<void> {
    const { pullWithProgress } = await import('./pull-image.ts');
    await pullWithProgress(session, { image, platform: options.platform, quiet: options.quiet, sink: session.err });
  }
}

/** `docker: …` and where to find help, as Docker's command line ends a run that did not come about. */
export function withHelp(error: unknown, verb: string, status = ownFailureStatus): ExitStatus {
  return new ExitStatus(status, `berth: ${describeError(error)}\n\nRun 'berth ${verb} --help' for more information`);
}

async function tellMissing(cli: Cli, flags: ContainerFlags, image: string): Promise<void> {
  if (flags.quiet) return;
  const { familiarString, parseReference, withDefaultTag } = await import('../oci/reference.ts');
  await cli.err.write(`Unable to find image '${familiarString(withDefaultTag(parseReference(image)))}' locally\n`);
}

function checkPullPolicy(policy: string): void {
  if (!['always', 'missing', 'never', ''].includes(policy))
    throw new BerthError('invalid', `invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
}

async function tellConsoleSize(hostConfig: { ConsoleSize?: [number, number] }): Promise<void> {
  const { terminalSize } = await import('./streams/terminal.ts');
  const size = await terminalSize();
  if (size) hostConfig.ConsoleSize = [size.rows, size.columns];
}

/** Nearly every name is a plain one; only others need the whole grammar. */
async function checkImageName(image: string): Promise<void> {
  if (/^[a-z0-9]+(?:[._-][a-z0-9]+)*(?::\w[\w.-]*)?$/.test(image)) return;
  if (/^(sha256:)?[0-9a-f]{64}$/.test(image)) return;
  const { parseReference } = await import('../oci/reference.ts');
  parseReference(image);
}

async function checkIdFile(path: string): Promise<void> {
  if (!path) return;
  const { access } = await import('node:fs/promises');
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists)
    throw new BerthError(
      'conflict',
      `container ID file found, make sure the other container isn't running or delete ${path}`,
    );
}
