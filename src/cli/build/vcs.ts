import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { redactedAddress } from '../../base/redacted-address.ts';

const run = promisify(execFile);

/**
 * Where the files of a folder come from, as buildx tells it in provenance: `source` (the remote) and `revision` (the commit, `-dirty` where files
 * have been changed since). Empty where the folder is in no repository, or there is no git.
 */
export async function folderRevision(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string>> {
  if (['0', 'f', 'false'].includes((environment['BUILDX_GIT_INFO'] ?? '').toLowerCase())) return {};
  const git = async (...words: string[]): Promise<string> => {
    try {
      return (await run('git', ['-C', folder, ...words])).stdout.trim();
    } catch {
      return '';
    }
  };
  const commit = await git('rev-parse', '--verify', 'HEAD');
  if (commit === '') return {};
  const [source, changes] = await Promise.all([
    git('remote', 'get-url', 'origin'),
    git('status', '--porcelain', '--ignored=no'),
  ]);
  return {
    revision: changes === '' ? commit : `${commit}-dirty`,
    ...(source !== '' && { source: redactedAddress(source) }),
  };
}
