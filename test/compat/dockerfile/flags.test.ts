/** Flags of `docker build`: each works, or says in one line why it does not. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEngine, type TestEngine } from '../../support/engine.ts';

let engine: TestEngine;
let context: string;
let other: string;

beforeAll(async () => {
  engine = await startEngine({ images: ['busybox'] });
  context = mkdtempSync('/tmp/berth-flags-');
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM busybox AS one\nRUN cat /proc/sys/kernel/random/uuid > /x\nFROM busybox\nCOPY --from=one /x /y\n',
  );
  other = mkdtempSync('/tmp/berth-flags-');
  writeFileSync(
    join(other, 'Dockerfile'),
    'FROM busybox\nRUN df /dev/shm | tail -n 1; ulimit -n; cat /proc/self/cgroup; grep marked /etc/hosts\n',
  );
});

afterAll(async () => {
  for (const folder of [context, other]) rmSync(folder, { recursive: true });
  await engine.cleanUp();
}, 60_000);

describe('refused', () => {
  test.each([
    ['--cache-to type=gha', 'ERROR: failed to build: cache type gha is not supported: use registry, local or inline'],
    ['--cache-from type=s3,bucket=x', 'ERROR: failed to build: cache type s3 is not supported'],
    ['--cache-to type=nope', 'ERROR: failed to build: unknown cache exporter: "nope"'],
    ['--cache-from type=nope', 'ERROR: failed to build: unknown cache importer: "nope"'],
    ['--cache-to ref=x', 'ERROR: type required form> "ref=x"'],
    ['--cache-to type=registry', 'ERROR: failed to build: registry cache exporter requires ref'],
    ['--cache-from type=registry', 'ERROR: failed to build: registry cache importer requires ref'],
    ['--cache-to type=local', 'ERROR: failed to build: local cache exporter requires dest'],
    ['--cache-from type=local', 'ERROR: failed to build: local cache importer requires src'],
    ['--cache-from BAD', 'ERROR: failed to build: invalid cache reference "BAD"'],
    ['--cache-to type=local,dest=x,mode=all', 'ERROR: failed to build: invalid cache mode "all"'],
    ['--cache-to type=local,dest=x,compression=estargz', 'unsupported layer compression type: estargz'],
    ['--cache-to type=local,dest=x,ignore-error=maybe', 'failed to parse ignore-error: strconv.ParseBool'],
    ['--cache-to localhost:1/x', 'failed to export cache to localhost:1/x: '],
    ['--attest type=signature', 'ERROR: failed to build: unknown attestation type "signature"'],
    ['--provenance=mode=much', 'ERROR: failed to build: invalid mode "much"'],
    ['--sbom=generator=a/b', 'ERROR: failed to build: --sbom takes no generator'],
    ['--annotation nope', 'ERROR: failed to build: invalid annotation "nope", expected key=value'],
    ['--annotation index:a=b', 'index annotations not supported for single platform export'],
    ['--builder nope', 'ERROR: no builder "nope" found'],
    ['--platform linux/amd64,nope', '"nope": unknown operating system or architecture: invalid argument'],
    ['--platform nope', '"nope": unknown operating system or architecture: invalid argument'],
    ['--allow nope', 'ERROR: failed to build: unknown entitlement nope'],
    ['--shm-size nope', "invalid size: 'nope'"],
    ['--ulimit nope', 'invalid ulimit argument: nope'],
    ['--network nope', 'network nope not found'],
    ['--output type=nope', 'ERROR: failed to build: failed to solve: exporter "nope" could not be found'],
    ['--output type=local', 'ERROR: failed to build: dest is required for local exporter'],
    ['--output type=image,name=BAD', 'ERROR: failed to build: invalid tag "BAD"'],
    ['--secret id=/nope/there', 'ERROR: failed to build: failed to stat /nope/there: stat /nope/there: no such file'],
    ['--secret id=x,src=/nope/there', 'ERROR: failed to build: failed to stat /nope/there'],
    ['--build-context nope', 'ERROR: invalid context value: nope, expected key=value'],
    ['--add-host nope', 'ERROR: failed to build: invalid host nope'],
    ['--label =x', 'ERROR: invalid key-value pair "=x": empty key'],
    ['--build-arg =x', 'ERROR: invalid key-value pair "=x": empty key'],
    ['-t BAD', 'ERROR: failed to build: invalid tag "BAD"'],
    ['-t a:b:c', 'ERROR: failed to build: invalid tag "a:b:c": invalid reference format'],
    ['--push', 'ERROR: failed to build: tag is needed when pushing to registry'],
    ['--output type=registry', 'ERROR: failed to build: tag is needed when pushing to registry'],
    ['--target nope', 'target stage "nope" could not be found'],
    ['--progress nope', 'ERROR: invalid progress mode: nope'],
    ['-f nope', 'failed to read dockerfile: open nope: no such file or directory'],
    ['--iidfile /nope/there/id', '/nope/there/id'],
  ])('%s', async (words, says) => {
    const result = await engine.berth('build', ...words.split(' '), context);
    expect(result.stderr).toContain(says);
    expect(result.stdout).toBe('');
    expect(result.code).toBe(1);
    expect(existsSync('/nope')).toBe(false);
  });
});

describe('taken, and changes nothing', () => {
  test.each([
    ['--cache-from type=registry,ref=localhost:1/x', ''],
    ['--cache-from type=local,src=/nope', 'WARNING: local cache import at /nope not found due to err: '],
    ['--cache-to type=registry,ref=localhost:1/x,ignore-error=true', ''],
    ['--annotation a=b --provenance --attest type=sbom', ''],
    ['--squash', 'WARNING: --squash is not used'],
    ['--isolation default', 'WARNING: --isolation is not used'],
    ['--security-opt seccomp=unconfined', 'WARNING: --security-opt is not used'],
    ['--provenance=false --sbom=false --load --compress --force-rm --rm --builder default', ''],
    ['--allow network.host --allow security.insecure', ''],
  ])('%s', async (words, says) => {
    const result = await engine.berth('build', '-q', ...words.split(' '), context);
    expect(result.stderr).toContain(says);
    expect(result.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(result.code).toBe(0);
  });
});

describe('obeyed', () => {
  test('limits of the steps', async () => {
    const words = '--shm-size 128m --ulimit nofile=100:200 --add-host marked:1.2.3.4 --progress plain'.split(' ');
    const result = await engine.berth('build', ...words, other);
    expect(result.stderr).toMatch(/shm +131072/);
    expect(result.stderr).toMatch(/^#\d+ \S+ 100$/m);
    expect(result.stderr).toMatch(/1\.2\.3\.4\s+marked/);
  });

  test('--iidfile and --metadata-file', async () => {
    const [id, facts] = [join(context, 'id'), join(context, 'facts')];
    const built = await engine.ok('build', '-q', '--iidfile', id, '--metadata-file', facts, '-t', 'of-flags', context);
    expect(readFileSync(id, 'utf8')).toBe(built);
    expect(JSON.parse(readFileSync(facts, 'utf8'))).toEqual({
      'buildx.build.provenance': expect.objectContaining({ buildType: 'https://mobyproject.org/buildkit@v1' }),
      'buildx.build.ref': expect.stringMatching(/^default\/default\/[0-9a-z]{25}$/),
      'containerimage.config.digest': built,
      'containerimage.digest': built,
      'image.name': 'docker.io/library/of-flags',
    });
    for (const path of [id, facts]) rmSync(path);
  });

  test('--no-cache-filter makes the steps of one stage anew', async () => {
    const build = (...words: string[]): Promise<string> => engine.ok('build', '-q', ...words, context);
    const first = await build();
    expect(await build('--no-cache-filter', 'nothing')).toBe(first);
    expect(await build('--no-cache-filter', 'one')).not.toBe(first);
  });

  test('names in an output', async () => {
    const id = await engine.ok('build', '-q', '-o', 'type=image,name=named-in-output', context);
    expect(await engine.ok('image', 'inspect', '-f', '{{.Id}}', 'named-in-output')).toBe(id);
  });
});
