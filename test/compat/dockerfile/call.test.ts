// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have such variables
/** `berth build --check` and `--call`: what is printed, and the exit codes, as `docker build` of today. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { contextFolders } from '../../support/own-folder.ts';
import { TestRegistry } from '../../support/registry.ts';

let engine: TestEngine;
const contextFolder = contextFolders();

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
});

afterAll(() => engine.cleanUp(), 60_000);

function folder(dockerfile: string): string {
  return contextFolder({ Dockerfile: dockerfile });
}

describe('--check', () => {
  test('nothing to say', async () => {
    const result = await engine.berth('build', '--check', folder('FROM busybox\nRUN false\n'));
    expect(result).toMatchObject({ code: 0, stdout: 'Check complete, no warnings found.\n', stderr: '' });
  });

  test('each warning with its lines', async () => {
    const context = folder('FROM busybox as a\nMAINTAINER me\n');
    const result = await engine.berth('build', '--check', context);
    expect(result.stdout).toBe(
      [
        'Check complete, 2 warnings have been found!',
        '',
        'WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
        "'as' and 'FROM' keywords' casing do not match",
        `${context}/Dockerfile:1`,
        '--------------------',
        '   1 | >>> FROM busybox as a',
        '   2 |     MAINTAINER me',
        '   3 |',
        '--------------------',
        '',
        'WARNING: MaintainerDeprecated - https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/',
        'Maintainer instruction is deprecated in favor of using label',
        `${context}/Dockerfile:2`,
        '--------------------',
        '   1 |     FROM busybox as a',
        '   2 | >>> MAINTAINER me',
        '   3 |',
        '--------------------',
        '',
      ].join('\n'),
    );
    expect(result.code).toBe(1);
    expect((await engine.berth('build', '--call=check,ignorestatus=true', context)).code).toBe(0);
  });

  test('why it cannot be built', async () => {
    const result = await engine.berth('build', '--check', folder('FROM busybox\nCMD ["x"]\nENV a=${b!}\n'));
    expect(result.stderr).toContain('ERROR: failed to process "${b!}": unsupported modifier (!) in substitution\n');
    expect(result.stderr).toContain('Dockerfile:3\n');
    expect(result.code).toBe(1);
  });

  test('as JSON', async () => {
    const context = folder('# check=error=true\nFROM busybox\nCMD x\n');
    const result = await engine.berth('build', '--call=check,format=json', context);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({
      warnings: [
        {
          ruleName: 'JSONArgsRecommended',
          url: 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/',
          location: { ranges: [{ start: { line: 3 }, end: { line: 3 } }] },
        },
      ],
      sources: [{ filename: 'Dockerfile', language: 'Dockerfile' }],
      buildError: { message: 'lint violation found for rules: JSONArgsRecommended', location: {} },
    });
  });
});

test('--check knows what the context leaves out', async () => {
  const Dockerfile = '# check=experimental=all\nFROM busybox\nCOPY left /\n';
  const context = contextFolder({ Dockerfile, left: 'x', '.dockerignore': 'left\n' });
  const result = await engine.berth('build', '--check', context);
  expect(result.stdout).toContain('Attempting to Copy file "left" that is excluded by .dockerignore');
  expect(result.code).toBe(1);
});

test('--check asks a registry for no layer', async () => {
  const registry = await TestRegistry.start();
  try {
    const name = `${registry.host}/checked`;
    await engine.ok('tag', 'busybox', name);
    await engine.ok('push', name);
    await engine.ok('rmi', name);
    registry.requests.length = 0;
    const result = await engine.berth('build', '--check', folder(`FROM ${name}\nENV a=$PATH\nENV b=$NOPE\n`));
    expect(result.stdout).toContain('1 warning has been found');
    expect(result.stdout).toContain("Usage of undefined variable '$NOPE'");
    const blobs = registry.requests.filter((request) => JSON.stringify(request).includes('/blobs/'));
    expect(blobs).toHaveLength(1);
    expect((await engine.berth('image', 'inspect', name)).code).toBe(1);
  } finally {
    await registry.stop();
  }
});

describe('--call', () => {
  const dockerfile = [
    'ARG VERSION=1',
    '# build makes it',
    'FROM busybox AS build',
    '# MODE is how',
    'ARG MODE=fast',
    'ARG TARGETARCH',
    'RUN --mount=type=secret,id=token,required=true --mount=type=ssh true',
    'FROM busybox AS other',
    'ARG VERSION',
    'COPY --from=build /bin /bin2',
    '',
  ].join('\n');

  test('outline', async () => {
    const context = folder(dockerfile);
    const result = await engine.berth('build', '--call=outline', '--build-arg', 'MODE=slow', context);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toBe(
      [
        'TARGET: other',
        '',
        'BUILD ARG   VALUE   DESCRIPTION',
        'VERSION     1       ',
        'MODE        slow    is how',
        '',
        'SECRET   REQUIRED',
        'token    true',
        '',
        'SSH       REQUIRED',
        'default   ',
        '',
        '',
      ].join('\n'),
    );
    const json = await engine.berth('build', '--call=outline,format=json', '--target', 'build', context);
    expect(JSON.parse(json.stdout)).toMatchObject({
      name: 'build',
      description: 'makes it',
      args: [{ name: 'MODE', description: 'is how', value: 'fast', location: { ranges: [{ start: { line: 5 } }] } }],
      secrets: [{ name: 'token', required: true }],
    });
  });

  test('targets', async () => {
    const context = folder(dockerfile);
    const result = await engine.berth('build', '--call=targets', context);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toBe('TARGET          DESCRIPTION\nbuild           makes it\nother (default) \n');
    const json = await engine.berth('build', '--call=targets,format=json', context);
    expect(JSON.parse(json.stdout).targets).toMatchObject([{ name: 'build' }, { name: 'other', default: true }]);
  });

  test('of a Dockerfile that cannot be read', async () => {
    const context = folder('FROM busybox\nFOO x\n');
    for (const call of ['outline', 'targets']) {
      const result = await engine.berth('build', `--call=${call}`, context);
      expect(result.stderr).toContain('ERROR: failed to build: failed to solve: dockerfile parse error on line 2');
      expect(result.code).toBe(1);
    }
  });

  test('something else', async () => {
    const result = await engine.berth('build', '--call=nothing', folder('FROM busybox\n'));
    expect(result.stderr).toContain('--call=nothing is not supported: it takes build, check, outline or targets');
    expect(result.code).toBe(1);
  });
});

describe('a build', () => {
  test('tells its warnings at the end', async () => {
    const result = await engine.berth('build', '--progress', 'plain', folder('FROM busybox\nCMD x\nARG a\nENV b c\n'));
    expect(result.stderr).toEndWith(
      [
        ' 2 warnings found (use berth build --check to expand):',
        ' - JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 2)',
        ' - LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format (line 4)',
        '',
      ].join('\n'),
    );
    expect(result.code).toBe(0);
  });

  test('fails for them where the Dockerfile wants it, and runs nothing', async () => {
    const result = await engine.berth('build', folder('# check=error=true\nFROM busybox\nCMD x\nRUN echo has-run\n'));
    expect(result.stderr).toContain(
      'ERROR: failed to build: failed to solve: lint violation found for rules: JSONArgsRecommended',
    );
    expect(result.stderr).not.toContain('has-run');
    expect(result.code).toBe(1);
  });

  test('takes the checks from an argument', async () => {
    const context = folder('FROM busybox\nCMD x\n');
    const argument = 'BUILDKIT_DOCKERFILE_CHECK=skip=JSONArgsRecommended;error=true';
    expect((await engine.berth('build', '--build-arg', argument, context)).code).toBe(0);
    const wrong = await engine.berth('build', '--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=nothing', context);
    expect(wrong.stderr).toContain('failed to parse check options: invalid check option "nothing"');
  });
});
