/** The engine's log reader on the native helper. */
import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogsOptions } from '../../src/api/types/container-requests.ts';
import { readLog } from '../../src/engine/logs/log-reader.ts';
import { helperProgram, scratch } from '../support/native-helper.ts';

const everything: LogsOptions = {
  ...{ stdout: true, stderr: true, follow: true, since: null, until: null },
  ...{ tail: null, timestamps: false, details: false, mergeFrames: false },
};

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test('a container that exits while its follower starts is read to the end', async () => {
  using directory = scratch('log-reader');
  const path = join(directory.path, 'json.log');
  writeFileSync(path, '{"log":"last words\\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}\n');
  const exitsAtOnce = (callback: () => void) => {
    callback();
    return () => undefined;
  };
  const readers = Array.from({ length: 20 }, () =>
    readLog(helperProgram(), { path, terminal: true, onceExited: exitsAtOnce }, everything).then(text),
  );
  expect(new Set(await Promise.all(readers))).toEqual(new Set(['last words\n']));
});
