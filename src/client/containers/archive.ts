/** Files of containers: `HEAD`, `GET` and `PUT /containers/{id}/archive`. */
import type { ContainerPathStat } from '../../api/types/container.ts';
import type { Answer, Client } from '../client.ts';
import { pathName } from '../path.ts';

const statHeader = 'x-docker-container-path-stat';

/** Bits of Go's os.FileMode (https://pkg.go.dev/io/fs#FileMode), in which a stat's `mode` is. */
export const fileModeDirectory = 2 ** 31;
export const fileModeSymlink = 2 ** 27;

/** Beyond 31 bits, so no bit operators. */
export function hasFileMode(stat: ContainerPathStat, bit: number): boolean {
  return Math.floor(stat.mode / bit) % 2 === 1;
}

function parseStat(answer: Answer): ContainerPathStat {
  return JSON.parse(Buffer.from(answer.headers[statHeader] ?? '', 'base64').toString()) as ContainerPathStat;
}

function archivePath(id: string): string {
  return `/containers/${pathName(id)}/archive`;
}

/** Error: `not-found` for a path that is not there. */
export async function statContainerPath(client: Client, id: string, path: string): Promise<ContainerPathStat> {
  const answer = await client.request({ method: 'HEAD', path: archivePath(id), query: { path } });
  answer.close();
  return parseStat(answer);
}

/** A tar of what is at `path`; read `content` to its end, or close it. */
export async function readContainerArchive(
  client: Client,
  id: string,
  path: string,
): Promise<{ stat: ContainerPathStat; content: Answer }> {
  const content = await client.request({ method: 'GET', path: archivePath(id), query: { path } });
  return { stat: parseStat(content), content };
}

export interface WriteArchiveOptions {
  /** A directory in the container. */
  path: string;
  /** A tar, maybe compressed. */
  upload: AsyncIterable<Uint8Array>;
  /** What it unpacks belongs to the container's user. */
  copyUidGid?: boolean;
  /** A directory may take the place of something else, and the other way round. */
  allowOverwrite?: boolean;
}

export async function writeContainerArchive(client: Client, id: string, options: WriteArchiveOptions): Promise<void> {
  const { path, upload, copyUidGid, allowOverwrite } = options;
  const noOverwriteDirNonDir = allowOverwrite ? undefined : 'true';
  const answer = await client.request({
    method: 'PUT',
    path: archivePath(id),
    query: { path, noOverwriteDirNonDir, copyUIDGID: copyUidGid ? 'true' : undefined },
    headers: { 'Content-Type': 'application/x-tar' },
    upload,
  });
  answer.close();
}
