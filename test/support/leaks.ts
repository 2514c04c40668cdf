/**
 * Finds what an engine left behind, by owner: only things that carry this engine's roots, bridge, table or cgroup count, so
 * tests may run in parallel. `sabotage.test.ts` proves that each kind is seen.
 */
import { Database } from 'bun:sqlite';
import { type Dirent, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineIdentity } from './identity.ts';
import { until } from './until.ts';

export interface Leak {
  kind:
    | 'process'
    | 'mount'
    | 'namespace'
    | 'interface'
    | 'nftables'
    | 'cgroup'
    | 'file'
    | 'socket'
    | 'port'
    | 'database';
  what: string;
}

export interface LeakOptions {
  /** Pid of the engine, which may live, with its children that are no container's; null: it is gone too. */
  engine: number | null;
  /** `nftables()` of the time when the engine had no container; null: the table must be gone. */
  table: string | null;
  /** TCP ports of the engine's API and metrics. */
  listening?: readonly number[];
}

/**
 * Waits until nothing is left; throws with the list of what still is at the deadline (milliseconds): what an engine clears up after its
 * answer takes a while on a busy machine.
 */
export async function expectNoLeaks(identity: EngineIdentity, options: LeakOptions, deadline = 30_000): Promise<void> {
  let leaks: Leak[] = [];
  try {
    await until(
      'nothing left behind',
      () => {
        leaks = findLeaks(identity, options);
        return leaks.length === 0;
      },
      deadline,
    );
  } catch {
    // The deadline: the list says more than the time.
    throw new Error(`left behind:\n${leaks.map((leak) => `  ${leak.kind}: ${leak.what}`).join('\n')}`);
  }
}

/** Everything of this engine that should not be there when it has no containers. */
export function findLeaks(identity: EngineIdentity, options: LeakOptions): Leak[] {
  const owned = ownedProcesses(identity);
  const own = options.engine === null ? new Set<number>() : enginesOwn(options.engine, owned);
  const engineGone = options.engine === null;
  return [
    ...[...owned].filter(([pid]) => !own.has(pid)).map(([pid, what]) => leak('process', `${pid} ${what}`)),
    ...mounts(identity),
    ...(engineGone ? [] : namespaces([...own], options.engine as number)),
    ...interfaces(identity, engineGone),
    ...(nftables(identity) === (options.table ?? '')
      ? []
      : [leak('nftables', tableDifference(identity, options.table))]),
    ...(engineGone ? foreignRules(identity).map((rule) => leak('nftables', rule.text)) : []),
    ...cgroups(identity, engineGone),
    ...files(identity, engineGone),
    ...sockets(identity, engineGone),
    ...(engineGone ? [] : ports([...own], options.listening ?? [])),
    ...(engineGone ? [] : rows(identity)),
  ];
}

/** The engine's nftables table as comparable text, without counters and handles; empty when there is none. */
export function nftables(identity: EngineIdentity): string {
  const result = Bun.spawnSync(['nft', '--stateless', 'list', 'table', 'inet', identity.table], { stderr: 'ignore' });
  return result.stdout.toString();
}

/** Rules of the engine in chains of other programs, which its comments give away, with the arguments of `nft delete rule`. */
export function foreignRules(identity: EngineIdentity): { text: string; place: string[] }[] {
  const listing = Bun.spawnSync(['nft', '--stateless', '--handle', 'list', 'chains'], { stderr: 'ignore' });
  if (!listing.stdout.toString().includes('hook forward')) return [];
  const rules = Bun.spawnSync(['nft', '--stateless', '--handle', 'list', 'ruleset'], { stderr: 'ignore' });
  const found: { text: string; place: string[] }[] = [];
  let table: string[] = [];
  let chain = '';
  for (const line of rules.stdout.toString().split('\n')) {
    const begins = /^\s*(table|chain) (\S+)(?: (\S+))? \{/.exec(line);
    if (begins?.[1] === 'table') table = [begins[2] as string, begins[3] as string];
    else if (begins) chain = begins[2] as string;
    const handle = /# handle (\d+)$/.exec(line)?.[1];
    if (handle && line.includes(`comment "${identity.table} `))
      found.push({ text: `${table.join(' ')} ${chain}: ${line.trim()}`, place: [...table, chain, 'handle', handle] });
  }
  return found;
}

function tableDifference(identity: EngineIdentity, before: string | null): string {
  const known = new Set((before ?? '').split('\n'));
  const now = nftables(identity).split('\n');
  return `table ${identity.table}: ${now.filter((line) => !known.has(line)).join(' ') || 'lines are missing'}`;
}

/** Processes that have one of the roots or the cgroup in command line, environment or cgroup: pid → why. */
function ownedProcesses(identity: EngineIdentity): Map<number, string> {
  const found = new Map<number, string>();
  for (const pid of pids()) {
    if (pid === process.pid) continue;
    const commandLine = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    const cgroup = readText(`/proc/${pid}/cgroup`);
    const environment = readText(`/proc/${pid}/environ`);
    const parent = identity.cgroupParent;
    const isOwned =
      mentions(commandLine, identity) ||
      mentions(environment, identity) ||
      cgroup.split('\n').some((line) => line.endsWith(`:${parent}`) || line.includes(`:${parent}/`));
    if (isOwned && !isZombie(pid)) found.set(pid, commandLine || readText(`/proc/${pid}/comm`).trim());
  }
  return found;
}

/** The engine and its descendants that are its own: not a shim (`run`), nothing below a container. */
function enginesOwn(engine: number, owned: Map<number, string>): Set<number> {
  const own = new Set([engine]);
  // The command line of a test is a descendant of the test, not of the engine, but carries the socket's path.
  for (const pid of owned.keys()) if (parentOf(pid) === process.pid) own.add(pid);
  for (const [pid, what] of owned) {
    // The resolver outlives engines: whose child it is says nothing.
    if (/ --resolver \//.test(what) || (parentOf(pid) === engine && /\bshim-\w+ launch$/.test(what))) own.add(pid);
  }
  return own;
}

function mounts(identity: EngineIdentity): Leak[] {
  const seen = new Map<string, number>();
  for (const pid of pids()) {
    const namespace = readLink(`/proc/${pid}/ns/mnt`);
    if (namespace && !seen.has(namespace)) seen.set(namespace, pid);
  }
  const found: Leak[] = [];
  for (const [namespace, pid] of seen) {
    for (const line of readText(`/proc/${pid}/mountinfo`).split('\n')) {
      if (mentions(line, identity))
        found.push(leak('mount', `${namespace} (pid ${pid}): ${line.split(' ').slice(3).join(' ')}`));
    }
  }
  return found;
}

/** Namespaces that the engine's own processes hold by descriptor, other than their own. */
function namespaces(processes: number[], engine: number): Leak[] {
  const home = new Set(
    ['net', 'mnt', 'pid', 'user', 'uts', 'ipc', 'cgroup'].map((kind) => readLink(`/proc/${engine}/ns/${kind}`)),
  );
  return descriptors(processes)
    .filter(({ target }) => /^(net|mnt|pid|user|uts|ipc|cgroup):\[/.test(target) && !home.has(target))
    .map(({ pid, target }) => leak('namespace', `${target} held by ${pid}`));
}

/** The engine's bridges: the default one, and those of networks, which carry its name as their alias. */
export function bridgesOf(identity: EngineIdentity): string[] {
  const isOwn = (name: string): boolean =>
    name === identity.bridge || readText(`/sys/class/net/${name}/ifalias`).trim() === identity.bridge;
  return list('/sys/class/net').filter(isOwn);
}

function interfaces(identity: EngineIdentity, engineGone: boolean): Leak[] {
  const found: Leak[] = [];
  for (const name of list('/sys/class/net')) {
    const master = readLink(`/sys/class/net/${name}/master`)?.split('/').at(-1);
    if (name === identity.bridge) {
      if (engineGone) found.push(leak('interface', name));
    } else if (master === identity.bridge || readText(`/sys/class/net/${name}/ifalias`).trim() === identity.bridge) {
      found.push(leak('interface', `${name} in ${master}`));
    }
  }
  return found;
}

function cgroups(identity: EngineIdentity, engineGone: boolean): Leak[] {
  const found: Leak[] = [];
  for (const hierarchy of ['', ...list('/sys/fs/cgroup')]) {
    const parent = join('/sys/fs/cgroup', hierarchy, identity.cgroupParent);
    if (!existsSync(parent)) continue;
    if (engineGone) found.push(leak('cgroup', parent));
    else for (const child of directories(parent)) found.push(leak('cgroup', join(parent, child)));
  }
  return found;
}

/** Folders that are empty without containers and operations. */
function files(identity: EngineIdentity, engineGone: boolean): Leak[] {
  if (engineGone) {
    return [identity.dataRoot, identity.execRoot, identity.pidfile]
      .filter(existsSync)
      .map((path) => leak('file', path));
  }
  const empty = [
    join(identity.execRoot, 'containers'),
    join(identity.execRoot, 'runtime'),
    join(identity.dataRoot, 'containers'),
    join(identity.dataRoot, 'tmp'),
  ];
  // Newer versions of crun keep compiled seccomp filters beside their containers' states, for every start to come.
  const kept = join(identity.execRoot, 'runtime', '.cache');
  return empty
    .flatMap((directory) => list(directory).map((name) => join(directory, name)))
    .filter((path) => path !== kept)
    .map((path) => leak('file', path));
}

function sockets(identity: EngineIdentity, engineGone: boolean): Leak[] {
  // The resolver has one as long as it lives, which is as long as the engine does.
  const isResolvers = (line: string): boolean => line.endsWith('.sock') && line.includes(`${identity.execRoot}/names/`);
  // The API's socket is bound in a directory of its own and then renamed; the kernel goes on calling it by its first name.
  const isApi = (line: string): boolean =>
    line.endsWith(` ${identity.socket}`) || new RegExp(` ${identity.execRoot}/\\.s\\w{6}/s$`).test(line);
  return (
    readText('/proc/net/unix')
      .split('\n')
      .filter((line) => mentions(line, identity) && (engineGone || !(isApi(line) || isResolvers(line))))
      // Connected ends of the API's socket carry its name as well; only another name, or a listener without engine, is left over.
      .map((line) => leak('socket', line.trim().split(/\s+/).slice(3).join(' ')))
  );
}

/** Host ports that the engine itself listens on: published ports belong to shims, which are processes of their own. */
function ports(processes: number[], allowed: readonly number[]): Leak[] {
  const listening = new Map<string, string>();
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6']) {
    for (const line of readText(`/proc/net/${table}`).split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (allowed.includes(Number.parseInt(local?.split(':')[1] ?? '', 16))) continue;
      if (inode && (state === '0A' || table.startsWith('udp'))) listening.set(inode, `${table} ${local}`);
    }
  }
  return descriptors(processes).flatMap(({ pid, target }) => {
    const port = listening.get(target.match(/^socket:\[(\d+)\]$/)?.[1] ?? '');
    return port ? [leak('port', `${port} held by ${pid}`)] : [];
  });
}

/** What the database still says about containers. */
function rows(identity: EngineIdentity): Leak[] {
  const database = new Database(join(identity.dataRoot, 'berth.db'), { readonly: true });
  try {
    const tables = database
      .query<{ name: string }, []>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('containers', 'endpoints')",
      )
      .all();
    return tables.flatMap(({ name }) => {
      const count = database.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${name}`).get()?.count ?? 0;
      return count === 0 ? [] : [leak('database', `${count} rows in ${name}`)];
    });
  } finally {
    database.close();
  }
}

function leak(kind: Leak['kind'], what: string): Leak {
  return { kind, what };
}

/** True where the text has one of the roots as a path of its own: /run/bt1 is not part of /run/bt12. */
function mentions(text: string, identity: EngineIdentity): boolean {
  return [identity.dataRoot, identity.execRoot].some((root) => {
    for (let at = text.indexOf(root); at >= 0; at = text.indexOf(root, at + 1)) {
      if (!/[0-9]/.test(text[at + root.length] ?? '')) return true;
    }
    return false;
  });
}

function descriptors(processes: number[]): { pid: number; target: string }[] {
  return processes.flatMap((pid) =>
    list(`/proc/${pid}/fd`).map((name) => ({ pid, target: readLink(`/proc/${pid}/fd/${name}`) ?? '' })),
  );
}

function pids(): number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number {
  return Number(readText(`/proc/${pid}/status`).match(/^PPid:\s+(\d+)/m)?.[1] ?? 0);
}

function isZombie(pid: number): boolean {
  return /^State:\s+[ZX]/m.test(readText(`/proc/${pid}/status`));
}

function directories(path: string): string[] {
  return entries(path)
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function list(path: string): string[] {
  return entries(path).map((entry) => entry.name);
}

function entries(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    // Processes and their files go while they are looked at.
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // As above.
    return '';
  }
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // As above.
    return null;
  }
}
