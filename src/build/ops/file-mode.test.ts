import { expect, test } from 'bun:test';
import { applyMode } from './file-mode.ts';

test.each([
  ['', 0o640, false, 0o640],
  ['755', 0o640, false, 0o755],
  ['u+x', 0o640, false, 0o740],
  ['a+r', 0o600, false, 0o644],
  ['go-rwx', 0o777, false, 0o700],
  ['u=rw,g=r,o=', 0o777, false, 0o640],
  ['a+X', 0o644, false, 0o644],
  ['a+X', 0o744, false, 0o755],
  ['a+X', 0o644, true, 0o755],
  ['g=u', 0o700, false, 0o770],
  ['a=rX', 0o6755, false, 0o555],
  ['u=rwx', 0o6755, false, 0o2755],
  ['u+s,+t', 0o755, false, 0o5755],
  ['+x', 0o644, false, 0o755],
])('%s on %o', (text, mode, isDirectory, expected) => {
  expect(applyMode(text, mode, isDirectory).toString(8)).toBe(expected.toString(8));
});
