/** Berth's registry beside Docker's (Debian's docker-registry): the same client, disk and sync. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Subprocess } from 'bun';
import { registryMigrations } from '../../src/registry-server/storage/schema.ts';
import { BerthDatabase } from '../../src/store/db/database.ts';
import { packagedProgram } from '../../test/support/debian-package.ts';
import { state } from '../contenders.ts';
import type { Row } from '../report.ts';
import { median } from '../statistics.ts';

const runs = 3;
const layers = 10;
const layerBytes = 100 * 1024 * 1024;
const berthProgram = resolve(import.meta.dir, '../../dist/berth');
/** Where the registries of a case keep what they have. */
export const registriesRoot = join(state, 'registries');
let nextPort = 5063;

interface Served {
  url: string;
  process: Subprocess;
}

interface Layer {
  path: string;
  digest: string;
}

export async function registryCases(): Promise<Row[]> {
  rmSync(registriesRoot, { recursive: true, force: true });
  mkdirSync(registriesRoot, { recursive: true });
  const [ours, dockers] = [await serveBerth('berth'), await serveDockers()];
  const served = [ours, dockers];
  try {
    return [...(await transferRows(served)), ...(await manifestRows(served)), await memoryRow(), ...(await listRows())];
  } finally {
    for (const one of served) await end(one);
    rmSync(registriesRoot, { recursive: true, force: true });
  }
}

/** A gigabyte in ten layers, five at a time, as docker pushes and pulls it; compression left out. */
async function transferRows(served: Served[]): Promise<Row[]> {
  const times = { push: served.map((): number[] => []), pull: served.map((): number[] => []) };
  for (let run = 0; run < runs; run++) {
    const image = makeLayers();
    for (const [index, { url }] of served.entries()) {
      Bun.spawnSync(['sync']);
      times.push[index]?.push(await timed(() => parallel(image, (layer) => pushLayer(url, layer))));
      times.pull[index]?.push(await timed(() => parallel(image, (layer) => pullLayer(url, layer))));
      await parallel(image, (layer) => remove(url, layer));
    }
  }
  return (['push', 'pull'] as const).map((what) => {
    const [ours, dockers] = times[what].map(median) as [number, number];
    return against(`registry: ${what} of 1 GB in 10 layers`, 'ms', { ours, dockers, atMost: 0.667, runs });
  });
}

/** A manifest by its tag: time of a thousand requests. */
async function manifestRows(served: Served[]): Promise<Row[]> {
  for (const { url } of served) await pushSmallImage(url);
  const rows: Row[] = [];
  for (const connections of [1, 16]) {
    const times = served.map((): number[] => []);
    for (let run = 0; run < runs; run++)
      for (const [index, { url }] of served.entries())
        times[index]?.push(await timed(() => thousandManifests(url, connections)));
    const [ours, dockers] = times.map(median) as [number, number];
    const name = `registry: 1,000 manifests by tag, connections: ${connections}`;
    rows.push(against(name, 'ms', { ours, dockers, atMost: 0.2, runs }));
  }
  return rows;
}

function against(
  name: string,
  unit: Row['unit'],
  { ours, dockers, atMost, runs: count }: { ours: number; dockers: number; atMost: number; runs: number },
): Row {
  return {
    name,
    unit,
    berth: ours,
    other: { name: 'docker-registry', value: dockers },
    target: [{ of: 'other', atMost }],
    runs: count,
  };
}

/** Fifty uploads of a gigabyte at once; broken off when each has brought a tenth, because no buffer depends on the rest. */
async function memoryRow(): Promise<Row> {
  const registry = await serveBerth('memory');
  try {
    const chunk = randomBytes(1024 * 1024);
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const location = await begin(registry.url);
        let left = 100;
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            if (left-- > 0) controller.enqueue(chunk);
            else controller.close();
          },
        });
        await expectStatus(fetch(location, { method: 'PATCH', body }), 202);
      }),
    );
    const status = readFileSync(`/proc/${registry.process.pid}/status`, 'utf8');
    const peak = Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
    const target: Row['target'] = [{ of: 'absolute', atMost: 150 }];
    return { name: 'registry: its memory at most during 50 uploads at once', unit: 'MB', berth: peak, target, runs: 1 };
  } finally {
    await end(registry);
  }
}

/** 10,000 repositories with ten tags each. */
async function listRows(): Promise<Row[]> {
  const directory = join(registriesRoot, 'lists');
  mkdirSync(directory, { recursive: true });
  fillLists(join(directory, 'registry.db'));
  const registry = await serveBerth('lists');
  const measure = async (name: string, path: string): Promise<Row> => {
    const times: number[] = [];
    for (let run = 0; run < 20; run++)
      times.push(await timed(async () => void (await (await fetch(registry.url + path)).text())));
    const target: Row['target'] = [{ of: 'absolute', atMost: 50 }];
    return { name, unit: 'ms', berth: median(times), target, runs: 20 };
  };
  try {
    return [
      await measure('registry: a page of `_catalog` of 10,000 repositories', '/v2/_catalog?n=100&last=team5'),
      await measure('registry: a search that finds all of them', '/v1/search?q=shop'),
      await measure('registry: the same as a page for a browser', '/search?q=shop&page=2'),
      await measure('registry: the first page for a browser', '/'),
    ];
  } finally {
    await end(registry);
  }
}

function fillLists(path: string): void {
  const database = new BerthDatabase(path, registryMigrations);
  const { sql } = database;
  database.transaction(() => {
    for (let id = 1; id <= 10_000; id++) {
      const digest = `sha256:${id.toString(16).padStart(64, '0')}`;
      sql
        .query("INSERT INTO repositories VALUES (?, ?, 'a service of the shop', ?, 1, ?)")
        .run(id, `team${id % 100}/service-${id}`, id, Date.now());
      sql.query('INSERT INTO documents VALUES (?, ?)').run(digest, Buffer.from('{}'));
      sql.query("INSERT INTO manifests VALUES (?, ?, 'application/json', NULL, '', NULL)").run(id, digest);
      for (let tag = 0; tag < 10; tag++)
        sql.query("INSERT INTO tags VALUES (?, ?, ?, ?, 'somebody')").run(id, `v${tag}`, digest, Date.now());
    }
  });
  database.close();
}

export async function serveBerth(name: string): Promise<Served> {
  const directory = join(registriesRoot, name);
  const address = `127.0.0.1:${nextPort++}`;
  const child = Bun.spawn([berthProgram, 'registry', 'serve', '--root', directory, '-a', address], {
    stdout: 'ignore',
    stderr: Bun.file(`${directory}.log`),
  });
  return ready({ url: `http://${address}`, process: child });
}

async function serveDockers(): Promise<Served> {
  const program = packagedProgram('docker-registry', {
    packages: ['docker-registry'],
    program: 'usr/bin/docker-registry',
  });
  const config = join(registriesRoot, 'docker-registry.yml');
  const storage = `storage: {filesystem: {rootdirectory: ${registriesRoot}/dockers}, delete: {enabled: true}}`;
  const log = 'log: {level: error, accesslog: {disabled: true}}';
  writeFileSync(config, `version: 0.1\n${storage}\nhttp: {addr: '127.0.0.1:5062'}\n${log}\n`);
  const child = Bun.spawn([program, 'serve', config], { stdout: 'ignore', stderr: 'ignore' });
  return ready({ url: 'http://127.0.0.1:5062', process: child });
}

async function ready(served: Served): Promise<Served> {
  const deadline = Date.now() + 30_000;
  while (
    !(await fetch(`${served.url}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline) throw new Error(`${served.url} does not answer`);
    await Bun.sleep(50);
  }
  return served;
}

export async function end({ process }: Served): Promise<void> {
  process.kill('SIGTERM');
  await process.exited;
}

function makeLayers(): Layer[] {
  return Array.from({ length: layers }, (_, index) => {
    const bytes = randomBytes(layerBytes);
    const path = join(registriesRoot, `layer-${index}`);
    writeFileSync(path, bytes);
    return { path, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** Five at a time. */
async function parallel<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 5 }, worker));
}

const repository = 'bench/image';

async function begin(url: string): Promise<string> {
  const response = await expectStatus(fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' }), 202);
  return new URL(response.headers.get('location') as string, url).href;
}

async function expectStatus(asked: Promise<Response>, status: number): Promise<Response> {
  const response = await asked;
  if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response;
}

/** The client of transfers is curl: it costs little beside what is measured. */
async function curl(...words: string[]): Promise<void> {
  const code = await Bun.spawn(['curl', '-sf', '-o', '/dev/null', ...words], { stdout: 'ignore' }).exited;
  if (code !== 0) throw new Error(`curl ${words.join(' ')}: exit ${code}`);
}

async function pushLayer(url: string, { path, digest }: Layer): Promise<void> {
  const location = new URL(await begin(url));
  location.searchParams.set('digest', digest);
  await curl('-T', path, location.href);
}

async function pullLayer(url: string, { digest }: Layer): Promise<void> {
  await curl(`${url}/v2/${repository}/blobs/${digest}`);
}

async function remove(url: string, { digest }: Layer): Promise<void> {
  await expectStatus(fetch(`${url}/v2/${repository}/blobs/${digest}`, { method: 'DELETE' }), 202);
}

const manifestPath = `/v2/${repository}/manifests/latest`;

async function pushSmallImage(url: string): Promise<void> {
  const config = '{}';
  const digest = `sha256:${createHash('sha256').update(config).digest('hex')}`;
  const location = new URL(await begin(url));
  location.searchParams.set('digest', digest);
  await expectStatus(fetch(location, { method: 'PUT', body: config }), 201);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const parts = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 };
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config: parts, layers: [] });
  const headers = { 'content-type': mediaType };
  await expectStatus(fetch(url + manifestPath, { method: 'PUT', body, headers }), 201);
}

async function thousandManifests(url: string, connections: number): Promise<void> {
  const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
  let left = 1000;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await (await expectStatus(fetch(url + manifestPath, { headers }), 200)).arrayBuffer();
  };
  await Promise.all(Array.from({ length: connections }, worker));
}
