/** The notes' story: a web page in Python, built from Debian's packages, cached, run on 8080 and asked. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPatience, loadDebian } from '../support/debian-image.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
const context = mkdtempSync('/tmp/berth-flask-');

beforeAll(async () => {
  engine = await startEngine();
  await loadDebian(engine);
}, debianPatience);

afterAll(async () => {
  rmSync(context, { recursive: true });
  await engine.cleanUp();
}, 300_000);

test('the flask image is built, cached, run on 8080 and asked', async () => {
  writeFileSync(
    join(context, 'app.py'),
    'from flask import Flask\napp = Flask(__name__)\n@app.route("/")\ndef hello():\n    return "Hello from flask"\napp.run(host="0.0.0.0", port=8080)\n',
  );
  writeFileSync(
    join(context, 'Dockerfile'),
    [
      'FROM debian',
      'MAINTAINER someone <someone@example.com>',
      'RUN apt-get update -q && \\',
      '    apt-get install -qy --no-install-recommends python3-flask',
      'WORKDIR /app',
      'COPY app.py .',
      'EXPOSE 8080',
      'CMD ["python3", "app.py"]',
    ].join('\n'),
  );
  const build = (): ReturnType<TestEngine['berthWith']> =>
    engine.berthWith({ timeout: 400_000 }, 'build', '--progress', 'plain', '-t', 'user/flask:1', context);
  const first = await build();
  expect(first.code === 0 ? '' : first.stderr).toBe('');
  const second = await build();
  expect(second.stderr.match(/CACHED/g)).toHaveLength(3);
  await engine.ok('run', '-d', '--name', 'flask', '-p', '127.0.0.1:0:8080', 'user/flask:1');
  const address = (await engine.ok('port', 'flask', '8080')).split('\n')[0] as string;
  const answer = await until('the page to answer', async () => {
    const response = await fetch(`http://${address}/`).catch(() => null);
    return response ? await response.text() : undefined;
  });
  expect(answer).toBe('Hello from flask');
  await engine.ok('rm', '-f', 'flask');
}, 600_000);
