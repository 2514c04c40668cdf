/** `ps -ef` out of /proc (proc(5)), for machines without ps. */
import { readFile, stat } from 'node:fs/promises';

export interface ProcessTable {
  Titles: string[];
  Processes: string[][];
}

/** USER_HZ: what the kernel counts CPU time of /proc/PID/stat in, on every architecture of ours. */
const ticksPerSecond = 100;
const fieldsAfterName = { parent: 1, terminal: 4, userTicks: 11, systemTicks: 12, startTicks: 19 };

/** The rows of `ps -ef` for these processes; one that ends meanwhile is left out. */
export async function fullFormat(pids: readonly number[]): Promise<ProcessTable> {
  const [names, boot] = await Promise.all([userNames(), bootTime()]);
  const rows = await Promise.all(pids.map((pid) => row(pid, names, boot).catch(() => null)));
  return {
    Titles: ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'],
    Processes: rows.filter((cells) => cells !== null),
  };
}

async function row(pid: number, names: ReadonlyMap<number, string>, boot: number): Promise<string[]> {
  const directory = `/proc/${pid}`;
  const [text, command, status] = await Promise.all([
    readFile(`${directory}/stat`, 'utf8'),
    readFile(`${directory}/cmdline`, 'utf8'),
    stat(directory),
  ]);
  // The name stands in brackets and may hold blanks and brackets itself.
  const close = text.lastIndexOf(')');
  const name = text.slice(text.indexOf('(') + 1, close);
  const fields = text.slice(close + 2).split(' ');
  const field = (index: number): number => Number(fields[index]);
  const cpu = (field(fieldsAfterName.userTicks) + field(fieldsAfterName.systemTicks)) / ticksPerSecond;
  const started = boot + field(fieldsAfterName.startTicks) / ticksPerSecond;
  const age = Math.max(1, Date.now() / 1000 - started);
  return [
    names.get(status.uid) ?? String(status.uid),
    String(pid),
    String(field(fieldsAfterName.parent)),
    String(Math.min(99, Math.floor((cpu / age) * 100))),
    startText(started),
    terminalName(field(fieldsAfterName.terminal)),
    clock(cpu),
    command.replace(/\0$/, '').replaceAll('\0', ' ') || `[${name}]`,
  ];
}

/** Unix seconds of the boot. */
async function bootTime(): Promise<number> {
  return Number(/^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1] ?? 0);
}

async function userNames(): Promise<Map<number, string>> {
  const names = new Map<number, string>();
  for (const line of (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n')) {
    const [name, , uid] = line.split(':');
    if (name && uid && !names.has(Number(uid))) names.set(Number(uid), name);
  }
  return names;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `09:45` for today, `Nov21` before. @param seconds of the epoch */
function startText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (date.toDateString() === new Date().toDateString()) return `${two(date.getHours())}:${two(date.getMinutes())}`;
  return `${months[date.getMonth()]}${two(date.getDate())}`;
}

const ptsMajors = { first: 136, last: 143 };
const ttyMajor = 4;

function terminalName(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  if (major >= ptsMajors.first && major <= ptsMajors.last) return `pts/${(major - ptsMajors.first) * 256 + minor}`;
  return major === ttyMajor ? `tty${minor}` : '?';
}

function clock(seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}
