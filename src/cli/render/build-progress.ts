/** What `berth build` shows: a screen that is drawn again on a terminal, lines elsewhere, as BuildKit's users know both. */
import type { BuildEvent } from '../../api/types/build.ts';
import type { Output } from '../streams/output.ts';

export interface BuildProgress {
  take(event: BuildEvent): void;
  /** Ends the drawing; resolves when all is written. */
  finish(failed: boolean): Promise<void>;
}

interface Step {
  number: number;
  name: string;
  state: 'waiting' | 'running' | 'done' | 'cached' | 'failed';
  started: number;
  ended: number;
  message: string;
  status: string;
  /** What has been said of it that does not grow. */
  notes: string[];
  /** Last lines of output. */
  tail: string[];
  /** A line that has not ended. */
  partial: string;
  reasons: string[];
}

const shownTail = 6;
const keptTail = 40;

/** Steps as events tell them. */
class Steps {
  readonly byId = new Map<string, Step>();
  readonly order: Step[] = [];
  readonly #warnings: Extract<BuildEvent, { type: 'warning' }>[] = [];

  /** What the checks say, for the end; empty: nothing. */
  warningLines(): string[] {
    const found = this.#warnings.toSorted((one, other) => one.line - other.line);
    if (found.length === 0) return [];
    const count = found.length === 1 ? '1 warning' : `${found.length} warnings`;
    const lines = found.map(({ rule, message, line }) =>
      rule === null ? ` - ${message}` : ` - ${rule}: ${message} (line ${line})`,
    );
    return [` ${count} found (use berth build --check to expand):`, ...lines];
  }

  take(event: BuildEvent): Step | null {
    if (event.type === 'warning') this.#warnings.push(event);
    if (event.type === 'vertices') {
      for (const { id, name } of event.vertices) this.#add(id, name);
      return null;
    }
    if (!('id' in event)) return null;
    const step = this.byId.get(event.id);
    if (!step) return null;
    switch (event.type) {
      case 'started':
        step.state = 'running';
        step.started = event.time;
        break;
      case 'done':
        step.state = event.cached ? 'cached' : 'done';
        step.ended = event.time;
        step.reasons = event.reasons;
        break;
      case 'failed':
        step.state = 'failed';
        step.ended = event.time;
        step.message = event.message;
        break;
      case 'status':
        if (event.current === undefined) step.notes.push(event.text);
        else step.status = statusText(event);
        break;
      case 'log':
        this.#log(step, event.data);
        break;
    }
    return step;
  }

  #add(id: string, name: string): void {
    if (this.byId.has(id)) return;
    const step: Step = {
      number: this.order.length + 1,
      name,
      state: 'waiting',
      started: 0,
      ended: 0,
      message: '',
      status: '',
      notes: [],
      tail: [],
      partial: '',
      reasons: [],
    };
    this.byId.set(id, step);
    this.order.push(step);
  }

  #log(step: Step, data: string): void {
    const lines = (step.partial + data).split('\n');
    step.partial = lines.pop() as string;
    step.tail.push(...lines.map((line) => line.replace(/^.*\r(?=.)/, '').replace(/\r$/, '')));
    if (step.tail.length > keptTail) step.tail.splice(0, step.tail.length - keptTail);
  }
}

function statusText(event: Extract<BuildEvent, { type: 'status' }>): string {
  const { text, current, total } = event;
  if (current === undefined) return text;
  return `${text}: ${size(current)}${total !== undefined && total > current ? ` / ${size(total)}` : ''}`;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)}${units[unit]}`;
}

const seconds = (milliseconds: number): string => `${(Math.max(0, milliseconds) / 1000).toFixed(1)}s`;

/** Lines in the form of BuildKit's `--progress=plain`. */
export class PlainProgress implements BuildProgress {
  readonly #out: Output;
  readonly #steps = new Steps();
  readonly #partial = new Map<Step, string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(out: Output) {
    this.#out = out;
  }

  take(event: BuildEvent): void {
    const step = this.#steps.take(event);
    if (event.type === 'pull')
      this.#say(`${event.message.id ? `${event.message.id}: ` : ''}${event.message.status ?? ''}`);
    if (step) this.#takeStep(step, event);
  }

  #takeStep(step: Step, event: BuildEvent): void {
    const head = `#${step.number}`;
    switch (event.type) {
      case 'started':
        this.#say(`${head} ${step.name}`);
        break;
      case 'log':
        this.#log(step, event.data);
        break;
      case 'done':
        this.#flush(step);
        for (const reason of event.reasons) this.#say(`${head} ${event.cached ? 'cached' : 'done anew'}: ${reason}`);
        this.#say(event.cached ? `${head} CACHED\n` : `${head} DONE ${seconds(step.ended - step.started)}\n`);
        break;
      case 'failed':
        this.#flush(step);
        this.#say(`${head} ERROR: ${event.message}\n`);
        break;
      case 'status':
        if (event.current === undefined) this.#say(`${head} ${event.text} done`);
        else if (event.current === event.total) this.#say(`${head} ${step.status} done`);
    }
  }

  async finish(failed: boolean): Promise<void> {
    if (failed) for (const line of failedLines(this.#steps.order)) this.#say(line);
    for (const line of this.#steps.warningLines()) this.#say(line);
    await this.#writing;
  }

  #log(step: Step, data: string): void {
    const lines = ((this.#partial.get(step) ?? '') + data).split('\n');
    this.#partial.set(step, lines.pop() as string);
    for (const line of lines) this.#say(`#${step.number} ${this.#time(step)} ${line}`);
  }

  #flush(step: Step): void {
    const rest = this.#partial.get(step) ?? '';
    this.#partial.delete(step);
    if (rest !== '') this.#say(`#${step.number} ${this.#time(step)} ${rest}`);
  }

  #time(step: Step): string {
    return (Math.max(0, Date.now() - step.started) / 1000).toFixed(3);
  }

  #say(line: string): void {
    this.#writing = this.#writing.then(() => this.#out.write(`${line}\n`));
  }
}

/** The end of what a failed step has written. */
function failedLines(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.state !== 'failed') return [];
    const tail = step.partial === '' ? step.tail : [...step.tail, step.partial];
    return ['------', ` > ${step.name}:`, ...tail.slice(-keptTail), '------'];
  });
}

const frameMilliseconds = 100;

/** The screen of a terminal: every step a line, running ones with the end of their output. */
export class ScreenProgress implements BuildProgress {
  readonly #out: Output;
  readonly #size: () => { columns: number; rows: number };
  readonly #steps = new Steps();
  readonly #begun = Date.now();
  readonly #colors: boolean;
  #drawn = 0;
  #pull = '';
  #timer: ReturnType<typeof setInterval> | null;
  #writing: Promise<void> = Promise.resolve();

  constructor(out: Output, options: { size: () => { columns: number; rows: number }; colors: boolean }) {
    this.#out = out;
    this.#size = options.size;
    this.#colors = options.colors;
    this.#timer = setInterval(() => this.#draw(false), frameMilliseconds);
  }

  take(event: BuildEvent): void {
    this.#steps.take(event);
    if (event.type === 'pull')
      this.#pull = `${event.message.id ? `${event.message.id}: ` : ''}${event.message.status ?? ''}`;
  }

  async finish(failed: boolean): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#draw(true);
    const warnings = this.#steps.warningLines();
    const lines = [
      ...(failed ? failedLines(this.#steps.order) : []),
      ...(warnings.length > 0 ? ['', ...warnings] : []),
    ];
    this.#write(lines.length > 0 ? `${lines.join('\n')}\n` : '');
    await this.#writing;
  }

  #draw(last: boolean): void {
    const { columns, rows } = this.#size();
    const steps = this.#steps.order;
    const finished = steps.filter(({ state }) => state === 'done' || state === 'cached').length;
    const time = seconds(Date.now() - this.#begun);
    const all = [
      `[+] Building ${time} (${finished}/${steps.length})${last && finished === steps.length ? ' FINISHED' : ''}`,
    ];
    if (steps.length === 0 && this.#pull !== '') all.push(` => ${this.#pull}`);
    for (const step of steps) if (step.state !== 'waiting') all.push(...this.#stepLines(step, columns, last));
    // What does not fit on the screen could not be drawn over again.
    const lines = last || all.length < rows ? all : [all[0] as string, ...all.slice(all.length - rows + 2)];
    const back = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    this.#write(`\x1b[?25l${back}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[J${last ? '\x1b[?25h' : ''}`);
    this.#drawn = lines.length;
  }

  #stepLines(step: Step, columns: number, last: boolean): string[] {
    const ended = step.ended || Date.now();
    const time = step.state === 'cached' ? '0.0s' : seconds(ended - step.started);
    const mark = { cached: 'CACHED ', failed: 'ERROR ', done: '', running: '', waiting: '' }[step.state];
    const width = Math.max(20, columns - time.length - 2);
    const text = `${step.state === 'running' ? ' => ' : ` => ${mark}`}${step.name.split('\n', 1)[0]}`;
    const line = `${text.length > width ? `${text.slice(0, width - 3)}...` : text.padEnd(width)} ${time}`;
    const shown = [this.#paint(step.state, line)];
    for (const reason of step.reasons) shown.push(cut(` => => ${reason}`, columns));
    for (const note of step.notes) shown.push(cut(` => => ${note}`, columns));
    if (step.state !== 'running' || last) return shown;
    if (step.status !== '') shown.push(cut(` => => ${step.status}`, columns));
    const tail = step.partial === '' ? step.tail : [...step.tail, step.partial];
    for (const row of tail.slice(-shownTail)) shown.push(this.#dim(cut(` => => # ${plain(row)}`, columns)));
    return shown;
  }

  #paint(state: Step['state'], line: string): string {
    if (!this.#colors) return line;
    if (state === 'failed') return `\x1b[31m${line}\x1b[0m`;
    return state === 'done' || state === 'cached' ? `\x1b[34m${line}\x1b[0m` : line;
  }

  #dim(line: string): string {
    return this.#colors ? `\x1b[2m${line}\x1b[0m` : line;
  }

  #write(text: string): void {
    this.#writing = this.#writing.then(() => this.#out.write(text));
  }
}

function cut(line: string, columns: number): string {
  return line.length >= columns ? line.slice(0, columns - 1) : line;
}

/** Without what would move the cursor. */
function plain(text: string): string {
  const bare = text.split('\x1b').map((part, index) => (index === 0 ? part : part.replace(/^\[[0-9;?]*[A-Za-z]/, '')));
  return [...bare.join('')].map((sign) => (sign < ' ' ? ' ' : sign)).join('');
}

/** Each event as a line of JSON, for programs. */
export class RawProgress implements BuildProgress {
  readonly #out: Output;
  #writing: Promise<void> = Promise.resolve();

  constructor(out: Output) {
    this.#out = out;
  }

  take(event: BuildEvent): void {
    this.#writing = this.#writing.then(() => this.#out.write(`${JSON.stringify(event)}\n`));
  }

  async finish(): Promise<void> {
    await this.#writing;
  }
}

/** Says nothing, but what a failed step has written. */
export class QuietProgress implements BuildProgress {
  readonly #out: Output;
  readonly #steps = new Steps();

  constructor(out: Output) {
    this.#out = out;
  }

  take(event: BuildEvent): void {
    this.#steps.take(event);
  }

  async finish(failed: boolean): Promise<void> {
    if (!failed) return;
    for (const line of failedLines(this.#steps.order)) await this.#out.write(`${line}\n`);
  }
}
