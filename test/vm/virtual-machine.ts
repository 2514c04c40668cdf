/**
 * A Debian machine with systemd and cgroup version 2 in QEMU, driven through a virtio port: each script that is handed over runs as root
 * and answers with its exit code and output. Emulated (TCG), because nested virtualisation does not boot everywhere: some ten times
 * slower than this machine, the same kernel interfaces.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Subprocess } from 'bun';
import { repository } from '../support/repository.ts';
import { until } from '../support/until.ts';

export interface Answer {
  code: number;
  stdout: string;
  stderr: string;
}

/** Milliseconds from power-on to the first script. */
const bootDeadline = 240_000;
const scriptDeadline = 180_000;

export class VirtualMachine {
  readonly #directory: string;
  readonly #base: string;
  #emulator: Subprocess | null = null;
  #hand: Socket | null = null;
  #answers = '';
  #number = 0;

  private constructor(directory: string, base: string) {
    this.#directory = directory;
    this.#base = base;
  }

  /** Boots with these files at /handed (name → path here); resolves once it takes scripts. */
  static async boot(files: Record<string, string>): Promise<VirtualMachine> {
    const machine = new VirtualMachine(mkdtempSync(join(tmpdir(), 'berth-vm-')), await baseImage());
    try {
      await machine.#makeDisks(files);
      await machine.#start();
    } catch (error) {
      const console = machine.console;
      await machine.powerOff();
      throw new Error(`${(error as Error).message}\n${console.slice(-4000)}`);
    }
    return machine;
  }

  async #makeDisks(files: Record<string, string>): Promise<void> {
    await succeed('cp', '--sparse=always', '--reflink=auto', join(this.#base, 'disk.ext4'), this.#path('disk.ext4'));
    const handed = this.#path('handed');
    mkdirSync(handed);
    for (const [name, path] of Object.entries(files)) await succeed('cp', '--reflink=auto', path, join(handed, name));
    await succeed('truncate', '-s', '400M', this.#path('handed.ext4'));
    await succeed('mkfs.ext4', '-q', '-m', '0', '-d', handed, this.#path('handed.ext4'));
    rmSync(handed, { recursive: true });
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  /** Each boot has an emulator of its own: one that is reset goes on at a tenth of its speed. */
  async #start(): Promise<void> {
    const drive = (name: string, more: string): string[] => [
      '-drive',
      `file=${this.#path(name)},format=raw,if=virtio,${more}`,
    ];
    this.#emulator = Bun.spawn(
      [
        ...['setpriv', '--pdeathsig', 'KILL', 'qemu-system-x86_64'],
        ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '3G', '-nodefaults', '-no-reboot'],
        ...['-display', 'none', '-nic', 'none'],
        ...['-kernel', join(this.#base, 'vmlinuz'), '-initrd', join(this.#base, 'initrd')],
        ...['-append', 'root=/dev/vda rw console=ttyS0 quiet mitigations=off random.trust_cpu=on'],
        ...drive('disk.ext4', 'cache=unsafe'),
        ...drive('handed.ext4', 'readonly=on'),
        ...['-serial', `file:${this.#path('console')}`, '-device', 'virtio-serial'],
        ...['-chardev', `socket,path=${this.#path('hand.sock')},server=on,wait=off,id=hand`],
        ...['-device', 'virtserialport,chardev=hand,name=test'],
      ],
      { stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' },
    );
    const isUp = async (): Promise<boolean> => this.#emulator?.exitCode !== null || (await this.#answersScripts());
    await until('the machine to take scripts', isUp, bootDeadline);
    if (this.#emulator.exitCode !== null) throw new Error('QEMU ended at once: is qemu-system-x86 installed?');
  }

  /** What the kernel and systemd wrote. */
  get console(): string {
    const path = this.#path('console');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  /** Runs a bash script to its end. */
  async run(script: string, deadline = scriptDeadline): Promise<Answer> {
    if (!this.#hand) throw new Error('the machine takes no scripts');
    const number = String(++this.#number);
    this.#hand.write(`${number} ${Buffer.from(script).toString('base64')}\n`);
    // An answer that came too late for its own script is still on the way, perhaps.
    const answer = await until(
      `an answer to: ${script}`,
      () =>
        this.#answers
          .split('\n')
          .slice(0, -1)
          .find((line) => line.startsWith(`${number} `)),
      deadline,
    );
    this.#answers = '';
    const [, code, stdout, stderr] = answer.split(' ') as [string, string, string, string];
    const decode = (text: string): string => Buffer.from(text.slice(1), 'base64').toString();
    return { code: Number(code), stdout: decode(stdout), stderr: decode(stderr) };
  }

  /** As `run`, anything but exit code 0 throws; stdout without the last newline. */
  async ok(script: string, deadline = scriptDeadline): Promise<string> {
    const { code, stdout, stderr } = await this.run(script, deadline);
    if (code !== 0) throw new Error(`${script}\nexit code ${code}\n${stderr}${stdout}`);
    return stdout.replace(/\n$/, '');
  }

  /** An orderly reboot; resolves once it takes scripts again. */
  async reboot(): Promise<void> {
    // Later, so that the answer to this is out before the machine goes down.
    await this.ok('(sleep 0.5; systemctl reboot) >/dev/null 2>&1 &');
    await until('the machine to go down', () => this.#emulator?.exitCode !== null, bootDeadline);
    await this.#start();
  }

  async powerOff(): Promise<void> {
    this.#hand?.destroy();
    this.#emulator?.kill('SIGKILL');
    await this.#emulator?.exited;
    rmSync(this.#directory, { recursive: true });
  }

  /** False while nobody answers: it boots, or goes down. */
  async #answersScripts(): Promise<boolean> {
    try {
      await this.#reachHand();
      return (await this.run('true', 3000)).code === 0;
    } catch {
      return false;
    }
  }

  async #reachHand(): Promise<void> {
    this.#hand?.destroy();
    const hand = connect(this.#path('hand.sock'));
    await new Promise((resolve, reject) => hand.once('connect', resolve).once('error', reject));
    hand.on('error', () => undefined);
    hand.on('data', (bytes) => {
      this.#answers += bytes.toString();
    });
    this.#hand = hand;
  }
}

/** Makes the disk where it is not there yet. */
async function baseImage(): Promise<string> {
  return (await succeed(join(repository, 'test/vm/base-image'))).trim();
}

async function succeed(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stderr}`);
  return stdout;
}
