/** Images in and out of an engine, typed by a user of either client. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { busyboxLayer, dockerArchive } from '../support/images.ts';
import { tar } from '../support/tar.ts';

let engine: TestEngine;
let folder: string;
beforeAll(async () => {
  engine = await startEngine();
  folder = mkdtempSync('/var/tmp/berth-e2e-images-');
});
afterEach(async () => {
  await engine.removeContainers();
  const images = (await (await engine.request('GET', '/images/json?all=1')).json()) as { Id: string }[];
  for (const { Id } of images) await engine.request('DELETE', `/images/${Id}?force=1`);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await engine.cleanUp();
});

function archive(name: string, tags: string[], content = name): string {
  const path = `${folder}/${name}.tar`;
  const layers = [busyboxLayer(), tar([{ name: 'etc/message', content }])];
  writeFileSync(
    path,
    dockerArchive({ tags, layers, config: { Cmd: ['cat', '/etc/message'], Labels: { made: 'here' } } }),
  );
  return path;
}

describe.each(['berth', 'docker'] as const)('%s', (client) => {
  const ok = async (...args: string[]): Promise<string> => {
    const result = await engine[client](...args);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    return result.stdout;
  };
  const fails = async (message: string, ...args: string[]): Promise<void> => {
    const result = await engine[client](...args);
    expect(result.stderr).toContain(message);
    expect(result.code).toBe(1);
  };

  test('load, run, save, remove, load again: the same image', async () => {
    const path = archive('first', ['app/one:1', 'two:latest']);
    expect(await ok('load', '-q', '-i', path)).toBe('Loaded image: app/one:1\nLoaded image: two:latest\n');
    expect(await ok('run', '--rm', 'app/one:1')).toBe('first');
    const id = (await ok('images', '-q', '--no-trunc', 'two')).trim();
    await ok('save', '-o', `${folder}/saved.tar`, 'app/one:1', 'two');
    await ok('rmi', 'app/one:1');
    expect(await ok('rmi', 'two')).toContain(`Deleted: ${id}`);
    expect(await ok('images', '-aq')).toBe('');
    expect(await ok('load', '-q', '-i', `${folder}/saved.tar`)).toContain('Loaded image: two:latest');
    expect((await ok('images', '-q', '--no-trunc', 'app/one:1')).trim()).toBe(id);
    expect(await ok('run', '--rm', 'two')).toBe('first');
  });

  test('a packed archive by standard input', async () => {
    const input = gzipSync(readFileSync(archive('packed', ['packed:1'])));
    const result = await engine[`${client}With`]({ stdin: input }, 'load');
    expect(result).toMatchObject({ code: 0, stdout: 'Loaded image: packed:1\n' });
  });

  test('import with changes', async () => {
    const path = `${folder}/root.tar`;
    writeFileSync(path, busyboxLayer());
    const id = (
      await ok('import', '-c', 'CMD ["echo", "imported"]', '-c', 'ENV A=b', '-m', 'by hand', path, 'made:1')
    ).trim();
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await ok('run', '--rm', 'made:1')).toBe('imported\n');
    expect(await ok('history', '--format', '{{.Comment}}', 'made:1')).toBe('by hand\n');
    const format = '{{.Id}} {{.Os}} {{json .Config.Env}} {{len .RootFS.Layers}}';
    expect(await ok('image', 'inspect', '-f', format, 'made:1')).toBe(`${id} linux ["A=b"] 1\n`);
  });

  test('names, filters and formats', async () => {
    await ok('load', '-q', '-i', archive('one', ['a:1', 'b/c:2']));
    await ok('load', '-q', '-i', archive('other', ['d:1']));
    await ok('tag', 'a:1', 'localhost:5000/e');
    const list = async (...args: string[]): Promise<string[]> =>
      (await ok('images', '--format', '{{.Repository}}:{{.Tag}}', ...args)).trim().split('\n').sort();
    expect(await list()).toEqual(['a:1', 'b/c:2', 'd:1', 'localhost:5000/e:latest']);
    expect(await list('--filter', 'reference=*:1')).toEqual(['a:1', 'd:1']);
    expect(await list('--filter', 'label=made=here', 'd')).toEqual(['d:1']);
    expect(await list('--filter', 'label=made=there')).toEqual(['']);
    await ok('tag', 'd:1', 'a:1');
    await ok('rmi', 'b/c:2');
    expect(await ok('images', '-q', '--filter', 'dangling=true')).toBe('');
  });

  test('who uses an image keeps it', async () => {
    await ok('load', '-q', '-i', archive('kept', ['kept:1']));
    await ok('run', '--name', `keeper-${client}`, 'kept:1');
    await fails('must force', 'rmi', 'kept:1');
    expect(await ok('rmi', '-f', 'kept:1')).toContain('Untagged: kept:1');
    await fails('No such image: kept:1', 'rmi', 'kept:1');
    // The container has all it needs.
    expect(await ok('start', '-a', `keeper-${client}`)).toBe('kept');
    expect(await ok('rm', `keeper-${client}`)).toBe(`keeper-${client}\n`);
    expect(await ok('image', 'prune', '-f')).toContain('Total reclaimed space: 0B');
  });

  test('what is wrong is said', async () => {
    writeFileSync(`${folder}/garbage`, 'garbage\n');
    await fails('unexpected EOF', 'load', '-i', `${folder}/garbage`);
    await fails('No such image: nosuch:latest', 'tag', 'nosuch', 'x');
    await fails('No such image: nosuch', 'save', '-o', `${folder}/x.tar`, 'nosuch');
    await fails('invalid reference format', 'rmi', 'No/Such');
    await fails('is not a valid change command', 'import', '-c', 'RUN x', `${folder}/garbage`);
    expect(await ok('images', '-aq')).toBe('');
  });
});
