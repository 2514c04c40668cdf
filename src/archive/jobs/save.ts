/** Job `save`: an archive of images on standard output; the members come as a list on standard input. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { BerthError } from '../../api/errors.ts';
import { chunksOf } from '../byte-source.ts';
import { put, readDescriptor } from '../job-io.ts';
import { rebuildLayer } from '../rebuild-layer.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar-stream.ts';

export interface SaveJob {
  helper: string;
}

/** A member of the archive. `mtime` is Unix seconds. */
export type SaveMember = { path: string; mtime: number } & (
  | { kind: 'directory' }
  | { kind: 'bytes'; base64: string }
  /** A layer's tar, made again from its directory. */
  | { kind: 'layer'; directory: string; diffId: string; size: number }
  | { kind: 'file'; file: string; digest: string; size: number }
);

export async function run(job: SaveJob): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of readDescriptor(0)) chunks.push(Buffer.from(chunk));
  const members = JSON.parse(Buffer.concat(chunks).toString('utf8')) as SaveMember[];
  for (const member of members) await writeMember(job.helper, member);
  await put(tarEnd());
}

async function writeMember(helper: string, member: SaveMember): Promise<void> {
  const { path, mtime } = member;
  if (member.kind === 'directory') {
    await put(tarHeader({ path: `${path}/`, type: 'directory', size: 0, mtime }));
    return;
  }
  if (member.kind === 'bytes') {
    const bytes = Buffer.from(member.base64, 'base64');
    await put(tarHeader({ path, type: 'file', size: bytes.length, mtime }));
    await put(bytes);
    await put(tarPadding(bytes.length));
    return;
  }
  await put(tarHeader({ path, type: 'file', size: member.size, mtime }));
  if (member.kind === 'file') await copyFile(member);
  else for await (const chunk of chunksOf(rebuildLayer({ helper, ...member }))) await put(chunk);
  await put(tarPadding(member.size));
}

async function copyFile({
  path,
  file,
  digest: expected,
}: {
  path: string;
  file: string;
  digest: string;
}): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    await put(chunk);
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== expected) throw new BerthError('internal', `${path} of the store has the content ${digest}`);
}
