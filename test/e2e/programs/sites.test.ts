/** Programs that answer HTTP, out of Debian's packages, and one that is all there is in its image: built, run and asked. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { debianPatience } from '../../support/debian-image.ts';
import { ask } from '../../support/machine.ts';
import { npm, npmSettings } from '../../support/npm.ts';
import { ProgramImages, published } from '../../support/program-images.ts';
import { until } from '../../support/until.ts';
import type { UserShell } from '../../support/user-shell.ts';

let programs: ProgramImages;
beforeAll(async () => {
  const npmFlags = ['--build-context', `npm=${await npm()}`, '--network', 'host', ...(await npmSettings())];
  programs = await ProgramImages.build({
    nginx: { client: 'berth' },
    php: { client: 'docker' },
    haproxy: { client: 'docker' },
    node: { client: 'berth', flags: npmFlags },
    c: { client: 'docker' },
  });
}, debianPatience);
afterEach(() => programs.clear());
afterAll(() => programs.cleanUp(), 60_000);

const web = async (shell: UserShell, container: string, port: number): Promise<string> =>
  `http://127.0.0.1:${await published(shell, container, port)}`;

/** Waits for this page. */
async function says(url: string, page: string): Promise<void> {
  await until(`${url} to answer`, async () => {
    expect(await ask(null, url)).toBe(page);
    return true;
  });
}

test('php-fpm behind nginx, with a volume between them', async () => {
  await programs.shell('nginx');
  const shell = await programs.shell('php');
  const php = '$D run -d --name php --network site -v pages:/srv/www';
  await shell.type(`$D network create site; ${php} -h first -e GREETING=Hello program/php`);
  await shell.type('$D run -d --name nginx --network site -v pages:/srv/www:ro -p 127.0.0.1::80 program/nginx');
  const page = `${await web(shell, 'nginx', 80)}/index.php?name=you`;
  await says(page, 'Hello you from first\n');
  expect(await shell.type('$D logs php 2>&1')).toContain('greeted you');
  expect(await shell.type('$D logs nginx')).toContain('"GET /index.php?name=you HTTP/1.1" 200');
  // Another container under its name; its own signal lets the old one end in order.
  await shell.type("$D stop php; test $($D inspect -f '{{.State.ExitCode}}' php) = 0; $D rm php");
  await shell.type(`${php} -h second -e GREETING=Bye program/php`);
  await says(page, 'Bye you from second\n');
});

test('haproxy balances two back ends that it finds by name, and misses one that is gone', async () => {
  await programs.shell('nginx');
  const shell = await programs.shell('haproxy');
  const start = (name: string): Promise<string> =>
    shell.type(`$D run -d --name ${name} -h ${name} --network farm program/nginx`);
  await shell.type('$D network create farm');
  await Promise.all([start('web1'), start('web2')]);
  await shell.type('$D run -d --name balancer --network farm -p 127.0.0.1::80 program/haproxy');
  const page = `${await web(shell, 'balancer', 80)}/who`;
  const answers = async (): Promise<string> => {
    const said = new Set<string>();
    for (let question = 0; question < 4; question++) said.add((await ask(null, page)).trim());
    return [...said].sort().join(' ');
  };
  await until('both to answer', async () => (await answers()) === 'web1 web2');
  await shell.type('$D rm -f web1');
  await until('only the second to answer', async () => (await answers()) === 'web2');
  await start('web1');
  await until('the first to be found again', async () => (await answers()) === 'web1 web2');
});

test('a node program with a dependency from npm', async () => {
  const shell = await programs.shell('node');
  await shell.type('$D run -d --name node -p 127.0.0.1::3000 program/node');
  await says(`${await web(shell, 'node', 3000)}/2h`, '7200000\n');
  expect(await shell.type('$D logs node')).toBe('asked /2h');
  expect(await shell.type("$D stop node >/dev/null; $D inspect -f '{{.State.ExitCode}}' node")).toBe('0');
  // Secrets were there for npm alone.
  const looked = await shell.type(
    '$D run --rm -u 0 program/node sh -c "ls -A /app /root; test ! -s /etc/ssl/certs/ca-certificates.crt"',
  );
  expect(looked).toBe('/app:\nnode_modules\nserver.js\n\n/root:\n.bashrc\n.profile');
});

test('a C program of two stages upon scratch', async () => {
  const shell = await programs.shell('c');
  expect(await shell.type('$D run --rm program/c; $D run --rm program/c you')).toBe(
    'hello world, i am process 1\nhello you, i am process 1',
  );
  expect(await shell.type("$D inspect -f '{{len .RootFS.Layers}}' program/c")).toBe('1');
});
