/** Where the server listens: unix sockets with their mode, TCP, adopted descriptors. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, createServer } from '../../src/server/create-server.ts';
import { fakeBackends } from './support/fake-backends.ts';
import { dial, readAll, readUntil } from './support/served.ts';

const ping = 'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

let directory: string;
let servers: ApiServer[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-listen-'));
});
afterAll(async () => {
  for (const server of servers) await server.close(0);
  servers = [];
  await rm(directory, { recursive: true, force: true });
});

function server(): ApiServer {
  const made = createServer({ backends: fakeBackends().backends, engineVersion: '28.5.2' });
  servers.push(made);
  return made;
}

async function pingOver(path: string): Promise<string> {
  const socket = await dial(path);
  socket.write(ping);
  const text = (await readAll(socket)).toString();
  socket.end();
  return text;
}

describe('unix', () => {
  test('mode 0660, of the group, nothing left beside it, gone at the end', async () => {
    const path = join(directory, 'a.sock');
    const listener = await server().listen(`unix://${path}`, process.getuid?.() === 0 ? '12345' : '');
    const stat = await lstat(path);
    expect(stat.mode & 0o777).toBe(0o660);
    if (process.getuid?.() === 0) expect(stat.gid).toBe(12345);
    expect(await readdir(directory)).toEqual(['a.sock']);
    expect(await pingOver(path)).toContain('200 OK');
    await listener.close();
    expect(await readdir(directory)).toEqual([]);
  });

  test('the socket of a dead engine is taken over, that of a live one is not', async () => {
    const path = join(directory, 'b.sock');
    const child = Bun.spawn(
      [
        process.execPath,
        '-e',
        `require('net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`,
      ],
      { stdout: 'pipe' },
    );
    await child.stdout.getReader().read();
    await expect(server().listen(`unix://${path}`, '')).rejects.toThrow('another engine answers there');
    child.kill('SIGKILL');
    await child.exited;
    expect((await lstat(path)).isSocket()).toBe(true);
    await server().listen(`unix://${path}`, '');
    expect(await pingOver(path)).toContain('200 OK');
  });

  test('a file that is no socket stays', async () => {
    const path = join(directory, 'c.sock');
    await writeFile(path, 'precious');
    await expect(server().listen(`unix://${path}`, '')).rejects.toThrow('is not a socket');
    expect((await lstat(path)).isFile()).toBe(true);
  });

  test('a socket that somebody else put in its place stays at the end', async () => {
    const path = join(directory, 'd.sock');
    const listener = await server().listen(`unix://${path}`, '');
    await rm(path);
    await writeFile(path, 'other');
    await listener.close();
    expect((await lstat(path)).isFile()).toBe(true);
  });
});

describe('tcp', () => {
  test('a port of its own choice', async () => {
    const { host } = await server().listen('tcp://127.0.0.1:0', '');
    const port = Number(/:(\d+)$/.exec(host)?.[1]);
    expect(port).toBeGreaterThan(0);
    const answer = await fetch(`http://127.0.0.1:${port}/_ping`);
    expect(await answer.text()).toBe('OK');
    // A page of some other site in a browser of this machine is nobody whom we serve.
    const cross = await fetch(`http://127.0.0.1:${port}/_ping`, { headers: { Origin: 'http://example.com' } });
    expect(cross.status).toBe(403);
  });

  test('a port that is taken', async () => {
    const taken = createNetServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await expect(server().listen(`tcp://127.0.0.1:${port}`, '')).rejects.toThrow();
    taken.close();
  });
});

test('addresses that are none', async () => {
  await expect(server().listen('fd://', '')).rejects.toThrow('no sockets found via socket activation');
  for (const host of ['', 'nonsense', 'unix://relative', 'tcp://host', 'tcp://1.2.3.4:99999', 'fd://x', 'ftp://a:1'])
    await expect(server().listen(host, '')).rejects.toThrow('Invalid bind address format');
});

for (const host of ['fd://3', 'fd://'])
  test(`${host}: a descriptor of a service manager`, async () => {
    const path = join(directory, `e${host.length}.sock`);
    // A program that inherits the listening socket as descriptor 3, as under socket activation.
    const program = `
    import { createServer } from ${JSON.stringify(join(import.meta.dir, '../../src/server/create-server.ts'))};
    import { fakeBackends } from ${JSON.stringify(join(import.meta.dir, 'support/fake-backends.ts'))};
    await createServer({ backends: fakeBackends().backends, engineVersion: '28.5.2' }).listen(${JSON.stringify(host)}, '');
    console.log('up');`;
    const perl = `use Socket; use Fcntl; $^F = 10;
    socket(S, AF_UNIX, SOCK_STREAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die; listen(S, 5) or die;
    if (fileno(S) != 3) { require POSIX; POSIX::dup2(fileno(S), 3); }
    exec @ARGV[1..$#ARGV];`;
    const child = Bun.spawn(['perl', '-e', perl, path, process.execPath, '-e', program], {
      stdout: 'pipe',
      stderr: 'inherit',
      env: { ...process.env, LISTEN_FDS: '1' },
    });
    await child.stdout.getReader().read();
    expect(await pingOver(path)).toContain('200 OK');
    child.kill();
    await child.exited;
  });

test('closing lets a request under way end, and cuts what stays', async () => {
  const path = join(directory, 'f.sock');
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const own = createServer({
    backends: fakeBackends({
      'lifecycle.stop': async () => {
        started.resolve();
        await promise;
      },
    }).backends,
    engineVersion: '28.5.2',
  });
  await own.listen(`unix://${path}`, '');
  const idle = await dial(path);
  const hanging = await dial(path);
  hanging.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  await readUntil(hanging, '\r\n\r\n');
  const busy = await dial(path);
  busy.write('POST /containers/one/stop HTTP/1.1\r\nHost: x\r\n\r\n');
  await started.promise;
  const ended = Promise.all([readAll(idle), readAll(hanging).catch(() => null)]);
  const closed = own.close(300);
  resolve();
  expect((await readAll(busy)).toString()).toContain('204 No Content');
  busy.end();
  await ended;
  idle.end();
  await closed;
});
