import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDaemonArguments } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function withFile(text: string, ...flags: string[]): () => ReturnType<typeof readDaemonArguments> {
  const file = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(file, text);
  return () => readDaemonArguments(['--config-file', file, ...flags]);
}

test('flags give values, lists add up, a default socket stands below the exec root', () => {
  const { config } = withFile('', '--dns=8.8.8.8', '--dns', '1.1.1.1', '--exec-root', '/run/x', '-D')();
  expect(config.dns).toEqual(['8.8.8.8', '1.1.1.1']);
  expect(config.debug).toBe(true);
  expect(config.hosts).toEqual(['unix:///run/x/berth.sock']);
});

test('the file gives values', () => {
  const { config } = withFile('{"bip":"10.0.0.1/16","insecure-registries":["a:5000"],"live-restore":false}')();
  expect(config.bip).toBe('10.0.0.1/16');
  expect(config['insecure-registries']).toEqual(['a:5000']);
});

test('what cannot be used stops the start in words that name it', () => {
  expect(withFile('{"nosuch":1}')).toThrow("the following directives don't match any configuration option: nosuch");
  expect(withFile('{"debug":true}', '--debug')).toThrow(
    'both as a flag and in the configuration file: debug: (from flag: true, from file: true)',
  );
  expect(withFile('{"debug":"yes"}')).toThrow('debug must be a boolean');
  expect(withFile('{"userns-remap":"default"}')).toThrow('does not support it yet');
  expect(withFile('[1]')).toThrow('one JSON object');
  expect(withFile('{')).toThrow('unable to configure the Docker daemon with file');
  expect(() => readDaemonArguments(['--config-file', join(folder, 'missing')])).toThrow('ENOENT');
  expect(() => readDaemonArguments(['--nosuch'])).toThrow('unknown flag: --nosuch');
  expect(() => readDaemonArguments(['--bip'])).toThrow('flag needs an argument: --bip');
});
