import { posix } from 'node:path';
import { BerthError } from '../../api/errors.ts';

export interface GitAddress {
  /** For git. */
  remote: string;
  /** Branch, tag or commit; empty: the default branch. */
  reference: string;
  /** Clean, without a leading slash; empty: the whole. */
  subdirectory: string;
}

/** `https://host/repository.git#reference:directory` and the other forms of https://docs.docker.com/build/concepts/context/#git-repositories. Error: `invalid`. */
export function parseGitAddress(text: string): GitAddress {
  // git knows further kinds of addresses, some of which are commands.
  if (!/^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@[^:]+:|github\.com\/)/.test(text))
    throw new BerthError('invalid', `unable to prepare context: ${text} is no address of a repository`);
  const [whole = '', fragment = ''] = text.split('#', 2);
  const remote = whole.startsWith('github.com/') ? `https://${whole}` : whole;
  const separator = fragment.indexOf(':');
  const reference = separator < 0 ? fragment : fragment.slice(0, separator);
  const directory = separator < 0 ? '' : fragment.slice(separator + 1);
  return { remote, reference, subdirectory: posix.normalize(`/${directory}`).slice(1) };
}
