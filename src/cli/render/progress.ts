/** The progress of pull, load and import: bars that move on a terminal, plain lines elsewhere. */
import type { ProgressDetail, ProgressMessage } from '../../api/types/progress.ts';
import { humanSize } from '../../wire/size.ts';
import type { Output } from '../streams/output.ts';

const barLength = 50;
/** A terminal that is narrower has no room for the bar. */
const barColumns = 110;

export interface ProgressOptions {
  /** Undefined: no terminal. */
  columns: number | undefined;
}

/** Prints all messages. Error: what the engine reported half way, as a plain `Error`. */
export async function showProgress(
  messages: AsyncIterable<ProgressMessage>,
  sink: Output,
  options: ProgressOptions,
): Promise<void> {
  const screen = new ProgressScreen(options.columns);
  for await (const message of messages) {
    if (message.errorDetail || message.error) throw new Error(message.errorDetail?.message ?? message.error);
    if (message.aux !== undefined) continue;
    await sink.write(screen.draw(message));
  }
}

class ProgressScreen {
  private readonly columns: number | undefined;
  /** Id → its line, counted from the first one. */
  private readonly lines = new Map<string, number>();

  constructor(columns: number | undefined) {
    this.columns = columns;
  }

  /** What to print for a message. */
  draw(message: ProgressMessage): string {
    if (message.stream !== undefined) return message.stream;
    const bar = progressBar(message.progressDetail, this.columns ?? 0);
    if (this.columns === undefined) return bar === '' ? plainLine(message) : '';
    if (!message.id || message.progressDetail === undefined) {
      this.lines.clear();
      return `${plainLine(message)}`;
    }
    const known = this.lines.get(message.id);
    const text = `\x1b[2K\r${message.id}: ${message.status ?? ''} ${bar}`.trimEnd();
    if (known === undefined) {
      this.lines.set(message.id, this.lines.size);
      return `${text}\n`;
    }
    const up = this.lines.size - known;
    return `\x1b[${up}A${text}\r\x1b[${up}B`;
  }
}

function plainLine(message: ProgressMessage): string {
  return `${message.id ? `${message.id}: ` : ''}${message.status ?? ''}\n`;
}

function progressBar(detail: ProgressDetail | undefined, columns: number): string {
  const current = detail?.current ?? 0;
  const total = detail?.total ?? 0;
  if (current <= 0 && total <= 0) return '';
  const size = (value: number): string => (detail?.units ? `${value} ${detail.units}` : humanSize(value, 4));
  if (total <= 0) return size(current).padStart(8);
  const filled = Math.min(barLength, Math.floor((current / total) * barLength));
  const bar = columns > barColumns ? `[${'='.repeat(filled)}>${' '.repeat(barLength - filled)}]  ` : '';
  if (detail?.hidecounts) return bar.trimEnd();
  return `${bar}${current > total ? size(current).padStart(8) : `${size(current).padStart(8)}/${size(total)}`}`;
}
