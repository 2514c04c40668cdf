/** The progress stream of pull, push, load, import and build: one JSON object a line. */
export interface ProgressMessage {
  /** Text as it is (build, load). */
  stream?: string;
  /** What happens, for example `Downloading`. */
  status?: string;
  /** What it happens to: a layer's short id, or the tag. */
  id?: string;
  progressDetail?: ProgressDetail;
  /** The detail as text, a bar of fifty characters; clients draw their own where they can. */
  progress?: string;
  /** A failure after the first byte went out; the server adds both from a rejected call. */
  error?: string;
  errorDetail?: { message: string; code?: number };
  /** Something for programs, for example `{ ID: 'sha256:…' }`. */
  aux?: unknown;
}

export interface ProgressDetail {
  current?: number;
  total?: number;
  hidecounts?: boolean;
  units?: string;
}

/** Takes a message; never blocks the engine (the server drops superseded progress of slow clients). */
export type ProgressSink = (message: ProgressMessage) => void;
