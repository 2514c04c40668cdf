/** A pull with its progress shown; `run`, `create` and `pull` use it. */
import { pullImage } from '../client/images/pull.ts';
import { readMessages } from '../client/messages.ts';
import { familiarName, isNameOnly, parseReference, withDefaultTag } from '../oci/reference.ts';
import type { Cli } from './command.ts';
import { registryAuthHeader } from './config/credentials.ts';
import { showProgress } from './render/progress.ts';
import type { Output } from './streams/output.ts';

export interface PullRequest {
  /** As the user wrote it. */
  image: string;
  platform: string;
  quiet: boolean;
  /** Every tag of the repository. */
  allTags?: boolean;
  /** Where the progress goes. */
  sink: Output;
}

/** Errors: the engine's; a failure half way as a plain `Error`. */
export async function pullWithProgress(cli: Cli, request: PullRequest): Promise<void> {
  const named = parseReference(request.image);
  const reference = request.allTags && isNameOnly(named) ? named : withDefaultTag(named);
  const answer = await pullImage(cli.client, {
    image: familiarName(reference),
    tag: reference.digest ?? reference.tag ?? '',
    platform: request.platform,
    registryAuth: await registryAuthHeader(cli, reference.domain),
  });
  const silent: Output = { write: () => Promise.resolve() };
  const sink = request.quiet ? silent : request.sink;
  await showProgress(readMessages(answer), sink, {
    columns: request.quiet ? undefined : await progressColumns(request.sink === cli.err ? 2 : 1),
  });
}

/** The width for bars; undefined where the descriptor is no terminal. */
export async function progressColumns(descriptor: 1 | 2): Promise<number | undefined> {
  const { isTerminal, terminalSize } = await import('./streams/terminal.ts');
  if (!(await isTerminal(descriptor))) return undefined;
  return (await terminalSize())?.columns ?? 80;
}
