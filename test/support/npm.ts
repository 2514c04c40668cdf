/** npm in a build: the program, and what this machine's npm is told about registry, proxy and certificates. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runOk } from './command.ts';
import { once } from './once.ts';
import { repository } from './repository.ts';

/** Runs under the Node of Debian 12 and 13; Debian's own package would bring four hundred others. */
const version = '10.9.4';
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** A folder with npm. */
export async function npm(): Promise<string> {
  const folder = join(repository, 'build/cache', `npm-${version}`);
  await once(folder, async (unfinished) => {
    mkdirSync(unfinished);
    const archive = await runOk(['npm', 'pack', '--silent', `npm@${version}`], { cwd: unfinished });
    await runOk(['tar', '-xzf', archive, '--strip-components=1'], { cwd: unfinished });
  });
  return folder;
}

/** Words of `berth build`: the secrets `npmrc` and `certificates`, and the proxies. */
export async function npmSettings(): Promise<string[]> {
  const personal = join(homedir(), '.npmrc');
  const settings = [
    existsSync(personal) ? readFileSync(personal, 'utf8') : '',
    `registry=${await runOk(['npm', 'config', 'get', 'registry'])}`,
    `cafile=${certificates}`,
  ];
  const file = join(repository, 'build/cache/npmrc');
  writeFileSync(file, `${settings.join('\n')}\n`, { mode: 0o600 });
  return [
    ...['--secret', `id=npmrc,src=${file}`, '--secret', `id=certificates,src=${certificates}`],
    ...proxies.filter((name) => process.env[name]).flatMap((name) => ['--build-arg', name]),
  ];
}
