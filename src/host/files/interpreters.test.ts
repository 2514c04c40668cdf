import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { interpretedArchitectures } from './interpreters.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-binfmt-'));
  const entry = (magic: string, state = 'enabled'): string =>
    `${state}\ninterpreter /usr/bin/qemu\nflags: OCF\noffset 0\nmagic ${magic}\nmask ffffffffffffff00fffffffffffffffffeffffff\n`;
  const files = {
    status: 'enabled\n',
    register: '',
    'qemu-aarch64': entry('7f454c460201010000000000000000000200b700'),
    'qemu-s390x': entry('7f454c4602020100000000000000000000020016'),
    'qemu-arm': entry('7f454c4601010100000000000000000002002800', 'disabled'),
    python: 'enabled\ninterpreter /usr/bin/python3\nflags: \noffset 0\nmagic 6f0d0d0a\n',
    jar: 'enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
});
afterAll(() => rmSync(directory, { recursive: true }));

test('what is switched on and stands for programs of a processor', async () => {
  expect([...(await interpretedArchitectures(directory))].sort()).toEqual(['arm64', 's390x']);
});

test('nothing where all of it is switched off, or it is not there', async () => {
  writeFileSync(join(directory, 'status'), 'disabled\n');
  expect((await interpretedArchitectures(directory)).size).toBe(0);
  expect((await interpretedArchitectures(join(directory, 'nowhere'))).size).toBe(0);
});
