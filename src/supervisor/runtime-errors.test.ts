import { describe, expect, test } from 'bun:test';
import { BerthError } from '../api/errors.ts';
import { lastRuntimeError, runtimeError, startFailureExitCode } from './runtime-errors.ts';

const create = 'failed to create task for container: failed to create shim task: OCI runtime create failed: ';
const during = `${create}unable to start container process: error during container init: `;

describe('what a runtime says', () => {
  test('is the last message of its log', () => {
    expect(lastRuntimeError('first\nsecond\n')).toBe('second');
    expect(lastRuntimeError('{"msg":"one","level":"warning"}\n{"level":"error","msg":"exec: \\"x\\": no"}\n')).toBe(
      'exec: "x": no',
    );
    expect(lastRuntimeError('{\n  "msg": "over \\/ lines",\n  "level": "error"\n}\n')).toBe('over / lines');
    expect(lastRuntimeError('')).toBe('');
  });

  // crun 1.8.1, crun 1.28, runc 1.1 and 1.3, as they said it; dockerd's words and exit code for it.
  const refusals: [said: string, command: string, shown: string, code: number][] = [
    [
      'executable file `x` not found in $PATH: No such file or directory',
      'x',
      'exec: "x": executable file not found in $PATH',
      127,
    ],
    [
      'executable file `/x` not found in $PATH: No such file or directory',
      '/x',
      'exec: "/x": stat /x: no such file or directory',
      127,
    ],
    ['cannot find `` in $PATH: No such file or directory', '', 'exec: "": executable file not found in $PATH', 127],
    ['open executable: Operation not permitted', '/etc', 'exec: "/etc": is a directory: permission denied', 126],
    ['open executable: Permission denied', '/etc/passwd', 'exec: "/etc/passwd": permission denied', 126],
    [
      'open executable: Not a directory',
      '/etc/passwd/x',
      'exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory',
      127,
    ],
    [
      'open `/etc/passwd/x`: Not a directory',
      '/etc/passwd/x',
      'exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory',
      127,
    ],
    [
      'the path `/a` exists but it is not executable: Operation not permitted',
      '/a',
      'exec: "/a": permission denied',
      126,
    ],
    ['chdir: Not a directory', 'true', 'chdir to cwd ("/work") set in config.json failed: not a directory', 127],
  ];
  for (const [said, command, shown, code] of refusals) {
    test(`${said} becomes ${shown}`, () => {
      const error = runtimeError(said, { command, directory: '/work' }, 'create');
      expect(error.message).toBe(during + shown);
      expect(error.kind).toBe('invalid');
      expect(startFailureExitCode(error)).toBe(code);
    });
  }

  test('of an exec has a beginning of its own', () => {
    const log =
      '{"level":"error","msg":"exec failed: unable to start container process: exec: \\"x\\": executable file not found in $PATH"}';
    const error = runtimeError(log, { command: 'x', directory: '/' }, 'exec');
    expect(error.message).toBe(
      'OCI runtime exec failed: exec failed: unable to start container process: exec: "x": executable file not found in $PATH',
    );
  });

  test('about anything else is passed on, and fails with 128', () => {
    const error = runtimeError('runc run failed: cgroup is broken', { command: 'x', directory: '/' }, 'create');
    expect(error.message).toBe(`${create}cgroup is broken`);
    expect(error.kind).toBe('internal');
    expect(startFailureExitCode(error)).toBe(128);
    expect(startFailureExitCode(new Error('x'))).toBe(128);
    expect(startFailureExitCode(new BerthError('internal', 'x'))).toBe(128);
  });
});
