import { describe, expect, test } from 'bun:test';
import { nouns, topCommands } from '../commands.ts';
import { completionOffers } from './offers.ts';
import { completionScript, shells } from './scripts.ts';

async function offers(...words: string[]): Promise<string[]> {
  const none = () => Promise.reject(new Error('no engine'));
  return (await completionOffers(words, none)).map((offer) => offer.split('\t')[0] as string);
}

describe('offers', () => {
  test('commands and nouns', async () => {
    expect(await offers('st')).toEqual(['start', 'stats', 'stop']);
    expect(await offers('container', 'r')).toEqual(['rename', 'restart', 'rm', 'run']);
    expect(await offers('-D', '-H', 'unix:///x', 'vers')).toEqual(['version']);
  });

  test('options', async () => {
    expect(await offers('run', '--network')).toEqual(['--network', '--network-alias']);
    expect(await offers('container', 'list', '--no')).toEqual(['--no-trunc']);
  });

  test('values that are known', async () => {
    expect(await offers('run', '--restart', '')).toEqual(['no', 'on-failure', 'always', 'unless-stopped']);
    expect(await offers('run', '-it', '--pull', 'a')).toEqual(['always']);
  });

  test('files are left to the shell', async () => {
    expect(await offers('load', '-i', '')).toEqual([':files']);
  });

  test('an unknown command has none', async () => {
    expect(await offers('nope', '')).toEqual([]);
  });
});

test('every command loads, and its options can stand beside each other', async () => {
  const entries = [...Object.values(topCommands), ...Object.values(nouns).flatMap(({ verbs }) => Object.values(verbs))];
  for (const entry of new Set(entries)) {
    const { command } = await entry.load();
    const shorts = Object.values(command.options).flatMap((option) => option.short ?? []);
    expect(new Set(shorts).size).toBe(shorts.length);
    for (const [name, option] of Object.entries(command.options)) {
      expect(name).toMatch(/^[a-z0-9-]+$/);
      expect(option.help).not.toEndWith('.');
    }
  }
});

test.each(shells)('the script for %s asks the program', (shell) => {
  expect(completionScript(shell)).toContain('berth __complete');
});
