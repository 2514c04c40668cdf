/** Building images with both clients: what comes out, what is kept, what is left after a failure. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { contextFolders } from '../support/own-folder.ts';
import { tar } from '../support/tar.ts';
import { until } from '../support/until.ts';

let engine: TestEngine;
const folder = contextFolders();

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});

afterAll(() => engine.cleanUp(), 300_000);

/** Without the client's own build cache folder and plugins, so that it is the classic protocol. */
const classic = { env: { DOCKER_BUILDKIT: '0' } };

describe('what comes out', () => {
  test('a layer is not put upon another one than it was made upon', async () => {
    const context = folder({
      Dockerfile:
        'FROM busybox AS one\nRUN cat /proc/sys/kernel/random/uuid > /id\nFROM one\nRUN cp /id /copy\nCOPY --link f /f',
      f: 'file\n',
    });
    const first = await engine.ok('build', '-q', context);
    expect(await engine.ok('build', '-q', context)).toBe(first);
    // The step below is done anew and gives something else.
    const second = await engine.ok('build', '-q', '--no-cache-filter', 'one', context);
    expect(second).not.toBe(first);
    await engine.ok('run', '--rm', second, 'cmp', '/id', '/copy');
    expect(await engine.ok('build', '-q', context)).toBe(second);
  });

  test('the docker client builds, tags and runs, and finds the cache the second time', async () => {
    const context = folder({
      Dockerfile:
        'FROM busybox\nENV who=world\nRUN echo made > /made\nCOPY f /f\nCMD ["sh", "-c", "cat /made /f; echo $who"]',
      f: 'file\n',
    });
    const first = await engine.dockerWith(classic, 'build', '-t', 'with-docker', context);
    expect(first.stdout).toContain('Step 3/5 : RUN echo made > /made');
    expect(first.stdout).toContain('Successfully tagged with-docker:latest');
    expect(await engine.ok('run', '--rm', 'with-docker')).toBe('made\nfile\nworld');
    const second = await engine.dockerWith(classic, 'build', '-t', 'with-docker', context);
    expect(second.stdout.match(/Using cache/g)).toHaveLength(4);
    const id = (output: string): string | undefined => /Successfully built (\w+)/.exec(output)?.[1];
    expect(id(second.stdout)).toBe(id(first.stdout) as string);
  });

  test('a failing step says its code in the words of the classic builder', async () => {
    const context = folder({ Dockerfile: 'FROM busybox\nRUN echo said; exit 7' });
    const result = await engine.dockerWith(classic, 'build', context);
    expect(result.stdout).toContain('said');
    expect(result.stderr).toContain("The command '/bin/sh -c echo said; exit 7' returned a non-zero code: 7");
    expect(result.code).toBe(7);
  });

  test('two stages upon scratch, history and config as BuildKit writes them', async () => {
    const context = folder({
      Dockerfile: [
        'FROM busybox AS make',
        'RUN mkdir -p /out/bin && cp /bin/busybox /out/bin/busybox',
        'FROM scratch',
        'COPY --from=make /out/ /',
        'LABEL a=b',
        'ENTRYPOINT ["/bin/busybox", "echo"]',
        'CMD ["hello"]',
      ].join('\n'),
    });
    await engine.ok('build', '-q', '-t', 'upon-scratch', context);
    expect(await engine.ok('run', '--rm', 'upon-scratch')).toBe('hello');
    const history = await engine.ok('history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Comment}}', 'upon-scratch');
    expect(history.split('\n')).toEqual(
      ['CMD ["hello"]', 'ENTRYPOINT ["/bin/busybox" "echo"]', 'LABEL a=b', 'COPY /out/ / # buildkit'].map(
        (line) => `${line}|buildkit.dockerfile.v0`,
      ),
    );
  });

  test('capabilities of a program survive COPY --from', async () => {
    const context = folder({ Dockerfile: 'FROM busybox\nRUN cp /bin/busybox /prog' });
    await engine.ok('build', '-q', '-t', 'with-cap', context);
    // Set from outside: the image has no program for it.
    const layers = join(engine.identity.dataRoot, 'layers');
    const program = readdirSync(layers)
      .map((name) => join(layers, name, 'diff/prog'))
      .find((path) => existsSync(path)) as string;
    const value = '0x0100000200040000000000000000000000000000';
    const set = Bun.spawnSync([
      'python3',
      '-c',
      `import os; os.setxattr("${program}", "security.capability", bytes.fromhex("${value.slice(2)}"))`,
    ]);
    expect(set.exitCode).toBe(0);
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY --from=with-cap /prog /copied');
    await engine.ok('build', '-q', '-o', `type=tar,dest=${join(context, 'out.tar')}`, context);
    expect(readFileSync(join(context, 'out.tar')).includes('SCHILY.xattr.security.capability=')).toBe(true);
  });

  test('an archive on standard input, a Dockerfile on standard input', async () => {
    const archive = tar([
      { name: 'Dockerfile', content: 'FROM busybox\nCOPY f /f' },
      { name: 'f', content: 'in the tar' },
    ]);
    await engine.berthWith({ stdin: archive }, 'build', '-t', 'from-tar', '-');
    expect(await engine.ok('run', '--rm', 'from-tar', 'cat', '/f')).toBe('in the tar');
    await engine.berthWith({ stdin: 'FROM busybox\nENV x=alone' }, 'build', '-t', 'from-text', '-');
    expect(await engine.ok('run', '--rm', 'from-text', 'sh', '-c', 'echo $x')).toBe('alone');
    const context = folder({ f: 'in the folder' });
    await engine.berthWith({ stdin: 'FROM busybox\nCOPY f /f' }, 'build', '-t', 'from-both', '-f', '-', context);
    expect(await engine.ok('run', '--rm', 'from-both', 'cat', '/f')).toBe('in the folder');
  });

  test('--iidfile, --label, --build-arg, --target, several names', async () => {
    const context = folder({ Dockerfile: 'FROM busybox AS one\nARG v=0\nENV v=$v\nFROM one AS two\nRUN false' });
    const file = join(context, 'id');
    const words = [
      '--iidfile',
      file,
      '--label',
      'l=m',
      '--build-arg',
      'v=5',
      '--target',
      'one',
      '-t',
      'named:1',
      '-t',
      'named:2',
    ];
    await engine.ok('build', ...words, context);
    const [image] = JSON.parse(await engine.ok('image', 'inspect', 'named:1')) as [
      { Id: string; RepoTags: string[]; Config: { Labels: object; Env: string[] } },
    ];
    expect(readFileSync(file, 'utf8')).toBe(image.Id);
    expect(image.RepoTags.sort()).toEqual(['named:1', 'named:2']);
    expect(image.Config.Labels).toEqual({ l: 'm' });
    expect(image.Config.Env).toContain('v=5');
  });

  test('outputs: a folder, a tar, an archive of the image', async () => {
    const context = folder({ Dockerfile: 'FROM scratch\nCOPY f /sub/f', f: 'out\n' });
    const place = join(context, 'out');
    await engine.ok('build', '-o', place, context);
    expect(readFileSync(join(place, 'sub/f'), 'utf8')).toBe('out\n');
    await engine.ok('build', '-o', `type=tar,dest=${place}.tar`, context);
    expect(readFileSync(`${place}.tar`).includes('sub/f')).toBe(true);
    await engine.ok('build', '-t', 'archived', '-o', `type=docker,dest=${place}.docker`, context);
    await engine.ok('rmi', 'archived');
    expect(await engine.ok('load', '-i', `${place}.docker`)).toContain('archived:latest');
  });

  test('SOURCE_DATE_EPOCH makes images that are equal bit by bit', async () => {
    const context = folder({
      Dockerfile: 'FROM busybox\nRUN echo x > /x && mkdir -p /y/z\nCOPY f /f\nWORKDIR /w',
      f: 'f',
    });
    const build = (): Promise<string> =>
      engine.ok('build', '-q', '--no-cache', '--build-arg', 'SOURCE_DATE_EPOCH=1700000000', context);
    const first = await build();
    expect(await build()).toBe(first);
    const [image] = JSON.parse(await engine.ok('image', 'inspect', first)) as [{ Created: string }];
    expect(image.Created).toStartWith('2023-11-14T22:13:20');
  });
});

describe('the cache', () => {
  test('--explain names the file, the argument, the step', async () => {
    const context = folder({
      Dockerfile: 'FROM busybox\nARG v\nRUN echo $v\nCOPY d /d\nRUN true',
      'd/one': '1',
      'd/two': '2',
    });
    const build = async (...words: string[]): Promise<string> => {
      const result = await engine.berth('build', '--explain', '--progress', 'plain', ...words, context);
      return result.stderr;
    };
    expect(await build()).toContain('never built here before');
    expect(await build()).toContain('CACHED');
    writeFileSync(join(context, 'd/two'), 'changed');
    const changed = await build();
    expect(changed).toContain('done anew: file d/two has changed');
    expect(changed).not.toContain('d/one');
    expect(changed).toContain('a step it builds upon gave something new');
    expect(await build('--build-arg', 'v=1')).toContain('variable v is new');
    expect(await build('--no-cache')).toContain('--no-cache');
  });

  test('two builds that share a step do it once', async () => {
    const mark = `once-${Date.now()}`;
    const context = folder({
      Dockerfile: `FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /id; echo ${mark}; sleep 1`,
    });
    const [left, right] = await Promise.all([engine.ok('build', '-q', context), engine.ok('build', '-q', context)]);
    const id = (image: string): Promise<string> => engine.ok('run', '--rm', image, 'cat', '/id');
    expect(await id(left)).toBe(await id(right));
  });

  test('stages that do not need each other run at once', async () => {
    // Each of them waits for the others.
    const script = (name: string): string =>
      `touch /met/${name} /${name}; until [ $(ls /met | wc -l) = 4 ]; do usleep 10000; done`;
    const stage = (name: string): string =>
      `FROM busybox AS ${name}\nRUN --mount=type=cache,id=meeting,target=/met ${script(name)}\n`;
    const names = ['a', 'b', 'c', 'd'];
    const copies = names.map((name) => `COPY --from=${name} /${name} /`).join('\n');
    const context = folder({ Dockerfile: `${names.map(stage).join('')}FROM scratch\n${copies}` });
    await engine.ok('build', '-q', context);
  });

  test('prune empties it', async () => {
    const context = folder({ Dockerfile: 'FROM busybox\nRUN echo prune me > /x' });
    const id = await engine.ok('build', '-q', context);
    await engine.ok('rmi', id);
    expect(await engine.ok('builder', 'prune', '-af')).toContain('Total reclaimed space:');
    const again = await engine.berth('build', '--progress', 'plain', '-t', 'again', context);
    expect(again.stderr).not.toContain('CACHED');
    const made = await engine.ok('image', 'inspect', '-f', '{{.Id}}', 'again');
    expect(again.stderr).toContain(` writing image ${made} done`);
    expect(again.stderr).toContain(' naming to docker.io/library/again:latest done');
  });
});

test('the cache stays within builder.gc.defaultKeepStorage', async () => {
  const small = await startEngine({ images: ['busybox'], config: { builder: { gc: { defaultKeepStorage: '5MB' } } } });
  try {
    const context = folder({});
    for (const number of [1, 2, 3]) {
      writeFileSync(
        join(context, 'Dockerfile'),
        `FROM busybox\nRUN head -c 3000000 /dev/urandom > /f${number}\nRUN rm /f${number}`,
      );
      await small.ok('rmi', await small.ok('build', '-q', context));
    }
    await small.ok('build', '-q', context);
    const usage = (await (await small.request('GET', '/system/df')).json()) as {
      BuildCache: { Size: number; Shared: boolean }[];
    };
    const kept = usage.BuildCache.filter(({ Shared }) => !Shared).reduce((sum, { Size }) => sum + Size, 0);
    expect(kept).toBeLessThanOrEqual(5_000_000);
    expect(usage.BuildCache.length).toBeGreaterThan(1);
  } finally {
    await small.cleanUp();
  }
}, 300_000);

test('output in other alphabets is whole, however the pipe cuts it', async () => {
  const context = folder({ Dockerfile: "FROM busybox\nRUN yes 'äöüß€€' | head -n 20000" });
  const { stderr } = await engine.berth('build', '--progress', 'plain', context);
  expect(stderr.match(/äöüß€€$/gm)?.length).toBe(20_000);
  expect(stderr).not.toContain('\uFFFD');
});

describe('faults', () => {
  /** What a build leaves: containers of the runtime, drafts of layers, leases. */
  const left = (): string[] => {
    const { dataRoot, execRoot } = engine.identity;
    return [...readdirSync(join(execRoot, 'containers')), ...readdirSync(join(dataRoot, 'tmp'))];
  };

  test('a failing step leaves nothing', async () => {
    await until('earlier work to be gone', () => left().length === 0);
    const layers = (): number => readdirSync(join(engine.identity.dataRoot, 'layers')).length;
    const before = layers();
    const context = folder({ Dockerfile: 'FROM busybox\nRUN echo x > /big; false' });
    const result = await engine.berth('build', context);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('>>> RUN echo x > /big; false');
    await until('its files to be gone', () => left().length === 0 && layers() === before);
  });

  test('a client that goes away stops its build', async () => {
    const context = folder({ Dockerfile: 'FROM busybox\nRUN echo going; sleep 1000' });
    const client = engine.spawn('berth', 'build', '--progress', 'plain', context);
    await until('the step to run', () => readdirSync(join(engine.identity.execRoot, 'containers')).length > 0);
    await client.kill();
    await until('the step to be gone', () => left().length === 0);
  });

  test('an image of another platform is no base', async () => {
    const context = folder({ Dockerfile: 'FROM --platform=linux/s390x busybox\nRUN true' });
    const result = await engine.berth('build', context);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('>>> FROM --platform=linux/s390x busybox');
  });

  test('a client of the classic API that goes away stops its build too', async () => {
    const body = tar([{ name: 'Dockerfile', content: 'FROM busybox\nRUN echo classic; sleep 1000' }]);
    const leaving = new AbortController();
    const unix = engine.host.replace('unix://', '');
    const answer = fetch('http://engine/build', { method: 'POST', body, unix, signal: leaving.signal });
    answer.then((response) => response.text()).catch(() => undefined);
    await until('the step to run', () => readdirSync(join(engine.identity.execRoot, 'containers')).length > 0);
    leaving.abort();
    await until('the step to be gone', () => left().length === 0);
  });

  test('secrets are in no layer, history, cache or log', async () => {
    const secret = `very-secret-${crypto.randomUUID()}`;
    const context = folder({
      Dockerfile:
        'FROM busybox\nRUN --mount=type=secret,id=s --mount=type=secret,id=s,env=S test "$S" = "$(cat /run/secrets/s)" && echo $S | wc -c > /length',
    });
    const env = { TOKEN: secret };
    const result = await engine.berthWith({ env }, 'build', '-t', 'secret', '--secret', 'id=s,env=TOKEN', context);
    expect(result.code).toBe(0);
    expect(await engine.ok('run', '--rm', 'secret', 'cat', '/length')).toBe(String(secret.length + 1));
    expect(result.stdout + result.stderr + (await engine.ok('history', '--no-trunc', 'secret'))).not.toContain(secret);
    const { dataRoot, execRoot } = engine.identity;
    const found = Bun.spawnSync(['grep', '-rlF', secret, dataRoot, execRoot]);
    expect(found.stdout.toString()).toBe('');
  });
});
