import type { BuildEvent } from '../../../api/types/build.ts';
import type { ProgressSink } from '../../../api/types/progress.ts';

interface Line {
  text: string;
  id: string | null;
  image?: string;
}

/** Of a step whose turn has not come, at most so much output is kept. */
const mostKept = 256 * 1024;
const shortLength = 12;

/**
 * A build as the classic builder told it: `Step 1/5 : FROM busybox`, its output, ` ---> 0a52cdc0dbf5`. Steps may run side by side; they are told one
 * after another.
 */
export class ClassicStream {
  readonly #send: ProgressSink;
  readonly #vertices = new Map<
    string,
    { state: 'waiting' | 'asked' | 'running' | 'done' | 'failed'; cached: boolean; output: string[]; kept: number }
  >();
  #lines: Line[] = [];
  #next = 0;
  readonly #warnings: string[] = [];
  #isHeadTold = false;
  /** The vertex that the last lines came to. */
  #last = '';
  #isRunningTold = false;

  constructor(send: ProgressSink) {
    this.#send = send;
  }

  readonly take = (event: BuildEvent): void => {
    switch (event.type) {
      case 'lines':
        this.#lines = event.lines;
        break;
      case 'pull':
        this.#send(event.message);
        return;
      case 'started':
        this.#vertex(event.id).state = 'asked';
        break;
      case 'missed':
        this.#vertex(event.id).state = 'running';
        break;
      case 'done': {
        const vertex = this.#vertex(event.id);
        vertex.state = 'done';
        vertex.cached = event.cached;
        break;
      }
      case 'warning':
        // What the checks say no client of this stream asks for.
        if (event.rule === null) this.#warnings.push(event.message);
        return;
      case 'failed':
        this.#vertex(event.id).state = 'failed';
        break;
      case 'log':
        this.#output(event.id, event.stream === 2 ? `\u001b[91m${event.data}\u001b[0m` : event.data);
        return;
      default:
        return;
    }
    this.#advance();
  };

  /** The last step's end. */
  finish(imageId: string): void {
    if (this.#lines.length > 0) this.#send({ stream: ` ---> ${short(imageId)}\n` });
  }

  /** What is said behind all steps. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  #vertex(id: string) {
    let vertex = this.#vertices.get(id);
    if (!vertex) {
      vertex = { state: 'waiting', cached: false, output: [], kept: 0 };
      this.#vertices.set(id, vertex);
    }
    return vertex;
  }

  #output(id: string, text: string): void {
    if (this.#lines[this.#next]?.id === id && this.#isHeadTold) {
      this.#tellRunning(this.#lines[this.#next] as Line);
      this.#send({ stream: text });
      return;
    }
    const vertex = this.#vertex(id);
    vertex.output.push(text);
    vertex.kept += text.length;
    while (vertex.kept > mostKept) vertex.kept -= (vertex.output.shift() as string).length;
  }

  /** Tells everything whose turn has come. */
  #advance(): void {
    for (let line = this.#lines[this.#next]; line; line = this.#lines[this.#next]) {
      const vertex = line.id === null ? null : this.#vertex(line.id);
      if (vertex?.state === 'waiting' || vertex?.state === 'asked') return;
      // The classic builder had a cache for what only changes the config too: such a line shares the lot of the step that follows.
      const cached = vertex ? vertex.cached : this.#follows();
      if (cached === null) return;
      if (!this.#isHeadTold) this.#tellHead(line, vertex?.output ?? []);
      if (!cached && vertex) this.#tellRunning(line);
      if (vertex && vertex.state !== 'done') return;
      if (cached) this.#send({ stream: ' ---> Using cache\n' });
      else if (line.id !== null && runs(line.text))
        this.#send({ stream: ` ---> Removed intermediate container ${short(line.id)}\n` });
      if (line.id !== null) this.#last = line.id;
      this.#next++;
      // The last step comes to the image, whose id is not known yet.
      if (this.#next < this.#lines.length) this.#send({ stream: ` ---> ${short(line.image ?? this.#last)}\n` });
      this.#isHeadTold = false;
    }
  }

  /** Whether the next step that makes a layer is cached; null: not known yet. */
  #follows(): boolean | null {
    const line = this.#lines.slice(this.#next).find(({ id }) => id !== null);
    if (!line) return this.#last !== '' && this.#vertex(this.#last).cached;
    const vertex = this.#vertex(line.id as string);
    return vertex.state === 'waiting' || vertex.state === 'asked' ? null : vertex.cached;
  }

  /** Once, as soon as it is known that the step was not found in the cache. */
  #tellRunning(line: Line): void {
    if (this.#isRunningTold || line.id === null || !runs(line.text)) return;
    this.#isRunningTold = true;
    this.#send({ stream: ` ---> Running in ${short(line.id)}\n` });
  }

  #tellHead(line: Line, output: string[]): void {
    this.#isHeadTold = true;
    this.#isRunningTold = false;
    this.#send({ stream: `Step ${this.#next + 1}/${this.#lines.length} : ${line.text}` });
    this.#send({ stream: '\n' });
    if (output.length > 0) this.#tellRunning(line);
    for (const text of output.splice(0)) this.#send({ stream: text });
  }
}

function runs(text: string): boolean {
  return /^run\s/i.test(text);
}

function short(id: string): string {
  return id.replace('sha256:', '').slice(0, shortLength);
}
