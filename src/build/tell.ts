/** What the solver says, as the events that a build's client gets. */
import { errorMessage } from '../api/errors.ts';
import type { BuildEvent } from '../api/types/build.ts';
import { rememberLines } from './build-error.ts';
import type { SolveEvent } from './solve/events.ts';

/** Bytes of output that are told of one step. */
const longestOutput = 2 * 1024 * 1024;

/** Passes events on; of a step that writes without end only the beginning is told. */
export function teller(sink: (event: BuildEvent) => void): (event: SolveEvent) => void {
  const told = new Map<string, number>();
  const decoders = new Map<string, TextDecoder>();
  /** A character may come in two pieces. */
  const decode = ({ vertex, stream, data }: Extract<SolveEvent, { type: 'output' }>): string => {
    const key = `${stream} ${vertex.digest}`;
    const decoder = decoders.get(key) ?? new TextDecoder('utf-8', { ignoreBOM: true });
    decoders.set(key, decoder);
    return decoder.decode(data, { stream: true });
  };
  return (event) => {
    if (event.type !== 'output') return tell(event, sink);
    const { stream, data } = event;
    const id = event.vertex.digest;
    const before = told.get(id) ?? 0;
    if (before > longestOutput) return;
    told.set(id, before + data.length);
    const isCut = before + data.length > longestOutput;
    sink({ type: 'log', id, stream, data: isCut ? '[output clipped, log limit 2MiB reached]\n' : decode(event) });
  };
}

function tell(event: Exclude<SolveEvent, { type: 'output' }>, sink: (event: BuildEvent) => void): void {
  switch (event.type) {
    case 'planned':
      sink({
        type: 'vertices',
        vertices: event.vertices.map(({ digest, label }) => ({ id: digest, name: label.name })),
      });
      return;
    case 'started':
      sink({ type: 'started', id: event.vertex.digest, time: event.time });
      return;
    case 'missed':
      sink({ type: 'missed', id: event.vertex.digest });
      return;
    case 'done': {
      const { time, cached, reasons } = event;
      sink({ type: 'done', id: event.vertex.digest, time, cached, reasons: [...reasons] });
      return;
    }
    case 'failed': {
      const { lines } = event.vertex.label;
      if (lines) rememberLines(event.error, lines);
      sink({ type: 'failed', id: event.vertex.digest, time: event.time, message: errorMessage(event.error) });
      return;
    }
    case 'status': {
      const { text, current, total } = event;
      sink({
        type: 'status',
        id: event.vertex.digest,
        text,
        ...(current !== undefined && { current }),
        ...(total !== undefined && { total }),
      });
    }
  }
}
