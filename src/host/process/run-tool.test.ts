import { expect, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { runTool } from './run-tool.ts';

test('output, lines, environment', async () => {
  const lines: string[] = [];
  const output = await runTool(['sh', '-c', 'echo "$GREETING"; echo aside >&2'], {
    env: { GREETING: 'hello' },
    onLine: (line) => lines.push(line),
  });
  expect(output).toBe('hello');
  expect(lines.sort()).toEqual(['aside', 'hello']);
});

test('what fails says so', async () => {
  await expect(runTool(['sh', '-c', 'echo why; exit 3'])).rejects.toThrow('sh failed with code 3: why');
  await expect(runTool(['/no/such/program'])).rejects.toThrow('not found');
});

test('an abort kills it', async () => {
  const abort = new AbortController();
  let pid = 0;
  const running = runTool(['sh', '-c', 'echo $$; exec sleep 600'], {
    signal: abort.signal,
    onLine: (line) => {
      pid ||= Number(line);
      abort.abort(new Error('enough'));
    },
  });
  await expect(running).rejects.toThrow('enough');
  expect(pid).toBeGreaterThan(0);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});
