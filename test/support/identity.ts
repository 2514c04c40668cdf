/**
 * What tells one test's engine from every other on this host: roots, bridge, subnets, nftables table, cgroup parent. A name is
 * claimed by a directory below /run/berth-test, which records the claiming process, so that what a killed test left can be
 * found and swept (test/support/sweep.ts), and by an abstract socket: what an engine is called in the kernel is shared with tests in
 * other roots of this host (a chroot), which do not see that directory.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface EngineIdentity {
  /** Number of the claim, 0–1023; everything else follows from it. */
  number: number;
  dataRoot: string;
  /** What the test keeps beside the data root: configuration, log, failpoints. */
  notes: string;
  execRoot: string;
  socket: string;
  pidfile: string;
  bridge: string;
  /** Address of the bridge with prefix length: a /24 of its own. */
  bip: string;
  /** Subnets of further networks come out of this block, and no other program of the host takes its own there. */
  pool: string;
  /** The nftables table, family inet. */
  table: string;
  /** Absolute below each hierarchy's root. */
  cgroupParent: string;
}

export const claims = '/run/berth-test';
/** Data roots: a real file system, overlay needs one. */
const workspace = process.env['BERTH_TEST_DIRECTORY'] ?? '/var/tmp/berth-test';
const most = 1024;

export function identityOf(number: number): EngineIdentity {
  const name = `bt${number}`;
  return {
    number,
    dataRoot: join(workspace, name),
    notes: join(workspace, `${name}.test`),
    execRoot: `/run/${name}`,
    socket: `/run/${name}/berth.sock`,
    pidfile: `/run/${name}.pid`,
    bridge: name,
    bip: `10.${212 + (number >> 8)}.${number & 255}.1/24`,
    pool: `10.${128 + (number >> 4)}.${(number & 15) << 4}.0/20`,
    table: `berth-${name}`,
    cgroupParent: `/${name}`,
  };
}

/** A name that nobody else on this host uses. Release it when nothing of the engine is left. */
export function claimIdentity(): EngineIdentity {
  mkdirSync(claims, { recursive: true });
  const first = Math.floor(Math.random() * most);
  for (let step = 0; step < most; step++) {
    const number = (first + step) % most;
    if (!holdName(number)) continue;
    try {
      mkdirSync(join(claims, String(number)));
    } catch {
      // Taken: the next one.
      letNameGo(number);
      continue;
    }
    writeFileSync(join(claims, String(number), 'pid'), String(process.pid));
    return identityOf(number);
  }
  throw new Error(`all ${most} test engines are taken; scripts/test sweep frees those of dead tests`);
}

export function releaseIdentity(identity: EngineIdentity): void {
  rmSync(join(claims, String(identity.number)), { recursive: true, force: true });
  letNameGo(identity.number);
}

/** The sockets that this process holds names by; they go with it, whatever it dies of. */
const held = new Map<number, { stop(closeActive?: boolean): void }>();

/** False: a process of this host has it. */
function holdName(number: number): boolean {
  if (held.has(number)) return false;
  try {
    const socket = Bun.listen({ unix: `\0berth-test-${number}`, socket: { data: () => undefined } });
    socket.unref();
    held.set(number, socket);
    return true;
  } catch {
    // Taken: the address is in use.
    return false;
  }
}

function letNameGo(number: number): void {
  held.get(number)?.stop(true);
  held.delete(number);
}

/** Claims whose test process is gone, now this process's own: nobody takes the name while it is swept. */
export function deadIdentities(): EngineIdentity[] {
  let numbers: string[];
  try {
    numbers = readdirSync(claims);
  } catch {
    // No test ever ran here.
    return [];
  }
  return numbers
    .filter((number) => !isAlive(number) && holdName(Number(number)))
    .map((number) => identityOf(Number(number)));
}

/** Milliseconds that a claim may be without its pid: it is being made at this moment. */
const unsigned = 60_000;

function isAlive(number: string): boolean {
  const directory = join(claims, number);
  try {
    const pid = readFileSync(join(directory, 'pid'), 'utf8');
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('bun');
  } catch {
    // No pid yet, no such process, or the claim is released at this moment.
    const made = statSync(directory, { throwIfNoEntry: false });
    return !made || (!existsSync(join(directory, 'pid')) && Date.now() - made.mtimeMs < unsigned);
  }
}
