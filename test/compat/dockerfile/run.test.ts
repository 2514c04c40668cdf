/** The table of run-cases.ts on the real kernel, case by case. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { ownFolder } from '../../support/own-folder.ts';
import { tar } from '../../support/tar.ts';
import { type RunCase, runCases } from './run-cases.ts';

let engine: TestEngine;
const folders = ownFolder();

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});

afterAll(() => engine.cleanUp(), 180_000);

type FileFact = NonNullable<RunCase['files']>[string];

function writeContext(one: RunCase): string {
  const { files = {}, dockerfile } = one;
  const folder = mkdtempSync(join(folders, 'context-'));
  const all: Record<string, FileFact> = { ...files, Dockerfile: dockerfile };
  for (const [path, what] of Object.entries(all)) {
    const place = join(folder, path);
    mkdirSync(dirname(place), { recursive: true });
    if (typeof what === 'string') writeFileSync(place, what);
    else if ('link' in what) symlinkSync(what.link, place);
    else if ('same' in what) linkSync(join(folder, what.same), place);
    else if ('pipe' in what) python(`import os; os.mkfifo(${JSON.stringify(place)})`);
    else if ('socket' in what) python(`import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(place)})`);
    else if ('tar' in what)
      writeFileSync(place, tar(Object.entries(what.tar).map(([name, content]) => ({ name, content }))));
    else {
      writeFileSync(place, what.text);
      chmodSync(place, what.mode);
    }
  }
  if (one.times !== undefined) setTimes(folder, one.times);
  return folder;
}

/** Makes what Node's file system cannot. */
function python(program: string): void {
  execFileSync('python3', ['-c', program]);
}

function setTimes(path: string, seconds: number): void {
  lutimesSync(path, seconds, seconds);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) setTimes(join(path, name), seconds);
  lutimesSync(path, seconds, seconds);
}

for (const one of runCases) {
  test.concurrent(one.name, async () => {
    const words = ['build', '--progress', 'plain', ...(one.flags ?? []), writeContext(one)];
    const result = await engine.berthWith({ env: one.env ?? {} }, ...words);
    const said = result.stdout + result.stderr;
    if (one.fails !== undefined) {
      expect(said).toContain(one.fails);
      expect(result.code).toBe(1);
      return;
    }
    expect(result.code === 0 ? '' : said).toBe('');
  }, 180_000);
}
