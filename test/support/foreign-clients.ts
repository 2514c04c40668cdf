/** Other people's clients and Node 22, fetched from npm and PyPI once into build/cache. */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CryptoHasher } from 'bun';
import { runOk } from './command.ts';
import { once } from './once.ts';
import { repository } from './repository.ts';

const programs = join(repository, 'test/compat/clients');
const cache = join(repository, 'build/cache');
const pipQuiet = ['--quiet', '--disable-pip-version-check'];
const pipInstall = ['python3', '-m', 'pip', 'install', ...pipQuiet, '--root-user-action=ignore'];
const dockerPyVersion = '7.1.0';
/** The last source package on PyPI that carries the tests. */
const dockerPySuiteVersion = '6.1.3';

/** Path of Node 22: the oldest that the client library promises to run under. */
export async function node22(): Promise<string> {
  return join(await modules(), 'node_modules', `node-linux-${process.arch}`, 'bin/node');
}

/** argv of a program of test/compat/clients that runs under Node 22. */
export async function nodeProgram(name: string): Promise<string[]> {
  // Modules are looked up from where a program really is.
  const folder = await modules();
  cpSync(join(programs, name), join(folder, name));
  return [await node22(), join(folder, name)];
}

/** argv of a program of test/compat/clients that uses docker-py, and the environment it needs. */
export async function pythonProgram(name: string): Promise<{ argv: string[]; env: Record<string, string> }> {
  const folder = await cached(`docker-py-${dockerPyVersion}`, async (work) => {
    await runOk([...pipInstall, '--target', work, `docker==${dockerPyVersion}`]);
  });
  return { argv: ['python3', join(programs, name)], env: { PYTHONPATH: folder } };
}

/** The libraries of its time: later ones changed what it calls. */
const dockerPyLibraries = [
  ...['requests<2.32', 'urllib3<2', 'websocket-client<1.9', 'packaging'],
  ...['pytest<8', 'pytest-timeout', 'paramiko'],
];

/** Where docker-py's source package with its tests is, and the environment in which pytest runs them. */
export async function dockerPySuite(): Promise<{ folder: string; env: Record<string, string> }> {
  const modules = 'modules';
  const libraries = new CryptoHasher('sha256').update(dockerPyLibraries.join(' ')).digest('hex').slice(0, 8);
  const root = await cached(`docker-py-suite-${dockerPySuiteVersion}-${libraries}`, async (work) => {
    await runOk([...pipInstall, '--target', join(work, modules), ...dockerPyLibraries]);
    const source = ['--no-deps', '--no-binary', 'docker', `docker==${dockerPySuiteVersion}`];
    await runOk(['python3', '-m', 'pip', 'download', ...pipQuiet, '--dest', work, ...source]);
    await runOk(['tar', '-xzf', `docker-${dockerPySuiteVersion}.tar.gz`], { cwd: work });
  });
  return {
    folder: join(root, `docker-${dockerPySuiteVersion}`),
    env: { PYTHONPATH: join(root, modules), PYTHONDONTWRITEBYTECODE: '1' },
  };
}

function modules(): Promise<string> {
  const lock = readFileSync(join(programs, 'package-lock.json'));
  const digest = new CryptoHasher('sha256').update(lock).digest('hex').slice(0, 12);
  return cached(`clients-${digest}`, async (work) => {
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(programs, file), join(work, file));
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
    // Some versions of npm refuse a lock file with optional packages of other systems; `install` takes the locked versions as well.
    await runOk(['npm', 'ci', ...quiet], { cwd: work }).catch(() =>
      runOk(['npm', 'install', '--no-save', ...quiet], { cwd: work }),
    );
  });
}

/** A folder of the cache, made whole or not at all, whoever else wants it at the same time. */
async function cached(name: string, make: (work: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  await once(folder, async (work) => {
    mkdirSync(work);
    await make(work);
  });
  return folder;
}
