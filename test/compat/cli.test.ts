/** `berth` prints what Docker's command line 28 prints, byte for byte, but for the program's own name. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import { type FakeEngine, startFakeEngine } from './cli-fake-engine.ts';
import recorded from './cli-golden.json';
import { words } from './cli-words.ts';

let folder: string;
let engine: FakeEngine;
beforeAll(async () => {
  process.env['TZ'] = 'UTC';
  folder = mkdtempSync('/tmp/berth-cli-');
  engine = await startFakeEngine(join(folder, 'engine.sock'));
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function berth(line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const collector = () => {
    const decoder = new TextDecoder();
    const collected = {
      text: '',
      async write(data: string | Uint8Array): Promise<void> {
        collected.text += typeof data === 'string' ? data : decoder.decode(data);
      },
    };
    return collected;
  };
  const out = collector();
  const err = collector();
  const code = await main(words(line), { out, err, environment: { HOME: folder, DOCKER_HOST: engine.host } });
  return { code, stdout: out.text, stderr: err.text };
}

/** Docker's name where a command line speaks of itself; `docker.io` and documentation addresses stay. */
function renamed(text: string): string {
  return text
    .replace(/^docker: /gm, 'berth: ')
    .replace(/(?<=(?:Usage: {2}|'|Run '|See '|command: ))docker(?= )/g, 'berth');
}

/** Moments that the fake engine counts back from now. */
function timeless(text: string): string {
  return text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, '<time>');
}

describe(recorded.version, () => {
  const cases = Object.entries(recorded.golden);
  test.each(cases)('%s', async (line, golden) => {
    const { code, stdout, stderr } = await berth(line);
    const expected = { code: golden.code, stdout: timeless(golden.stdout), stderr: renamed(golden.stderr) };
    expect({ code, stdout: timeless(stdout), stderr }).toEqual(expected);
  });
});
