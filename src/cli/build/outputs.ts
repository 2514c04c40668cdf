import { mkdir, open } from 'node:fs/promises';
import { ExitStatus } from '../command.ts';
import { unpackLocal } from '../copy/local-tar.ts';
import type { Output } from '../streams/output.ts';

export interface OutputTarget {
  type: 'image' | 'local' | 'tar' | 'oci' | 'docker';
  /** A folder or file; `-` or empty: standard output. */
  destination: string;
  /** More names for the image. */
  names: string[];
  /** Into the registry. */
  push: boolean;
  /** All that was said, by name. */
  fields: ReadonlyMap<string, string>;
}

const nowhere = { names: [], push: false, fields: new Map<string, string>() };

/** `-o path`, `-o -`, `-o type=local,dest=path`. Error: exit status 1 in buildx's words. */
export function parseOutput(text: string): OutputTarget {
  if (text === '-') return { type: 'tar', destination: '-', ...nowhere };
  if (!text.includes('=')) return { type: 'local', destination: text, ...nowhere };
  const fields = new Map(
    text.split(',').map((field) => {
      const separator = field.indexOf('=');
      return [field.slice(0, separator), field.slice(separator + 1)] as const;
    }),
  );
  const type = fields.get('type') ?? '';
  const destination = fields.get('dest') ?? '';
  const name = fields.get('name');
  const push = type === 'registry' || fields.get('push') === 'true';
  const image = { names: name === undefined ? [] : [name], push, fields };
  switch (type) {
    case 'image':
    case 'registry':
    case 'cacheonly':
      return { type: 'image', destination: '', ...image };
    case 'docker':
      return { type: destination === '' ? 'image' : type, destination, ...image };
    case 'local':
      if (destination === '') throw new ExitStatus(1, 'ERROR: failed to build: dest is required for local exporter');
      return { type, destination, ...nowhere, fields };
    case 'tar':
    case 'oci':
      return { type, destination, ...image, push: false };
    default:
      throw new ExitStatus(
        1,
        type === ''
          ? 'ERROR: type is required for output'
          : `ERROR: failed to build: failed to solve: exporter ${JSON.stringify(type)} could not be found`,
      );
  }
}

/** Takes the bytes of an output to where they belong. */
export async function writeOutput(target: OutputTarget, bytes: AsyncIterable<Uint8Array>, out: Output): Promise<void> {
  if (target.type === 'local') return unpack(target.destination, bytes);
  if (target.destination === '' || target.destination === '-') {
    for await (const part of bytes) await out.write(part);
    return;
  }
  const file = await open(target.destination, 'w', 0o644);
  try {
    for await (const part of bytes) await file.writeFile(part);
  } finally {
    await file.close();
  }
}

async function unpack(directory: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await mkdir(directory, { recursive: true });
  const iterator = bytes[Symbol.asyncIterator]();
  const read = async (): Promise<Uint8Array | null> => {
    const next = await iterator.next();
    return next.done ? null : next.value;
  };
  await unpackLocal({ read, take: () => undefined }, directory, {
    from: '.',
    to: '.',
    keepOwner: process.getuid?.() === 0,
  });
}
