/**
 * Another machine, made of a network namespace: it has a name, addresses and routes of its own, and shares everything else
 * with the host. It ends with the test's process, whatever happens to that.
 */
import { type CommandOptions, type CommandResult, run } from './command.ts';
import { until } from './until.ts';

export class Machine implements Place {
  /** Prefix of a command that is to run there. */
  readonly prefix: readonly string[];
  readonly #holder: Bun.Subprocess<'pipe', 'pipe', 'ignore'>;

  private constructor(holder: Bun.Subprocess<'pipe', 'pipe', 'ignore'>) {
    this.#holder = holder;
    this.prefix = inNetworkOf(holder.pid).prefix;
  }

  static async start(): Promise<Machine> {
    // cat ends when its standard input does: with this process.
    const holder = Bun.spawn(['unshare', '--net', 'sh', '-c', 'ip link set lo up && echo up && exec cat'], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'ignore',
    });
    const machine = new Machine(holder);
    const first = await holder.stdout.getReader().read();
    if (first.done) throw new Error('no network namespace can be made here');
    return machine;
  }

  get pid(): number {
    return this.#holder.pid;
  }

  /** Runs a program there to its end. */
  async run(...command: string[]): Promise<CommandResult> {
    return await this.runWith({}, ...command);
  }

  async runWith(options: CommandOptions, ...command: string[]): Promise<CommandResult> {
    return await run([...this.prefix, ...command], options);
  }

  /** As `run`, anything but exit code 0 throws; gives the standard output. */
  async ok(...command: string[]): Promise<string> {
    const result = await this.run(...command);
    if (result.code !== 0) throw new Error(`${command.join(' ')}: exit code ${result.code}\n${result.stderr}`);
    return result.stdout;
  }

  /** A script of shell commands, the first failure ends it. */
  async script(text: string): Promise<string> {
    return await this.ok('sh', '-ec', text);
  }

  /** A cable between two machines: each end is an interface with an address (`10.0.0.1/24`). */
  async connect(
    name: string,
    address: string,
    other: { machine: Machine; name: string; address: string },
  ): Promise<void> {
    await this.script(
      `ip link add ${name} type veth peer name ${other.name} netns ${other.machine.pid}
       ip address add ${address} dev ${name}
       ip link set ${name} up`,
    );
    await other.machine.script(`ip address add ${other.address} dev ${other.name}\nip link set ${other.name} up`);
  }

  async stop(): Promise<void> {
    this.#holder.stdin.end();
    await this.#holder.exited;
  }
}

/** Where a program of this host runs; what `ask` and its like need. */
export interface Place {
  readonly prefix: readonly string[];
}

/** The network of a process, a container's for example, with the host's programs. */
export function inNetworkOf(pid: number): Place {
  return { prefix: ['nsenter', `--net=/proc/${pid}/ns/net`, '--'] };
}

/**
 * What an HTTP server says, asked from `machine` (null: here); the empty text where nobody answers.
 * @param patience seconds: a busy machine takes its time
 */
export async function ask(machine: Place | null, url: string, patience = 20): Promise<string> {
  const command = ['curl', '--silent', '--max-time', String(patience), '--globoff', url];
  return (await run([...(machine?.prefix ?? []), ...command])).stdout;
}

/** As `ask`, where an answer would come at once and must not come: the empty text after a second. */
export async function silence(machine: Place | null, url: string): Promise<string> {
  return await ask(machine, url, 1);
}

/** As `ask`, until there is an answer. */
export async function answerOf(machine: Place | null, url: string): Promise<string> {
  return await until(`an answer from ${url}`, async () => await ask(machine, url, 2));
}

/** The datagram that comes back for `text`, or the empty text after a second. */
export async function askUdp(machine: Place | null, address: string, port: number, text: string): Promise<string> {
  const program = `
import socket, sys
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(1)
s.connect((sys.argv[1], int(sys.argv[2])))
try:
    s.send(sys.argv[3].encode())
    print(s.recv(65536).decode(), end='')
except OSError:
    pass
`;
  const command = ['python3', '-c', program, address, String(port), text];
  return (await run([...(machine?.prefix ?? []), ...command])).stdout;
}
