import { expect, test } from 'bun:test';
import { redactedAddress } from './redacted-address.ts';

test.each([
  ['https://me:secret@host/repo.git#main', 'https://host/repo.git#main'],
  ['https://token@host:8443/x', 'https://host:8443/x'],
  ['git@github.com:me/repo.git', 'git@github.com:me/repo.git'],
  ['https://host/a@b', 'https://host/a@b'],
])('%s', (address, shown) => {
  expect(redactedAddress(address)).toBe(shown);
});
