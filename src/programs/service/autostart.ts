/** Starts this machine's engine for a client that found none: its unit where one is installed, else a process of its own. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { BerthError } from '../../api/errors.ts';
import { selfCommand } from '../../host/process/self.ts';
import { installedUnit } from './install.ts';
import { engineSocket, Places } from './places.ts';
import { hasSystemd, systemctl } from './system.ts';

/** Milliseconds in which a healthy engine answers, even where it must look at thousands of containers first. */
const patience = 30_000;
const logPath = '/run/berth/engine.log';

/** Resolves once the socket answers. Error: `unavailable`, with what the engine said. */
export async function startEngine(): Promise<void> {
  if ((await installedUnit(new Places('/'))) && (await hasSystemd())) {
    await systemctl('start', 'berth.service');
    return;
  }
  await mkdir('/run/berth', { recursive: true, mode: 0o711 });
  const log = await open(logPath, 'a', 0o600);
  const { size } = await log.stat();
  const [program, ...words] = selfCommand() as [string, ...string[]];
  const child = spawn(program, [...words, 'daemon'], { cwd: '/', detached: true, stdio: ['ignore', log.fd, log.fd] });
  child.unref();
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', () => {
    ended = true;
  });
  await log.close();
  const end = performance.now() + patience;
  while (!(await answers())) {
    // Of two that start at once one gets the lock of the data root; the other's client waits for it too.
    if (ended && !(await holdsLock(size))) throw unavailable(await said(size));
    if (performance.now() > end) throw unavailable(await said(size));
    await pause(10);
  }
}

async function answers(): Promise<boolean> {
  return await new Promise((resolve) => {
    const probe = connect(engineSocket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/** What was written to the log since. */
async function said(from: number): Promise<string> {
  return (await readFile(logPath)).subarray(from).toString().trim();
}

async function holdsLock(from: number): Promise<boolean> {
  return (await said(from)).includes('another engine uses');
}

function unavailable(last: string): BerthError {
  return new BerthError('unavailable', `the engine did not start: ${last.split('\n').at(-1) || 'it said nothing'}`);
}
