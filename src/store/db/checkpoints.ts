import { runJob } from '../../host/process/job.ts';
import type { BerthDatabase } from './database.ts';

/** Milliseconds between two looks, and changed rows that are worth a checkpoint: a few megabytes of log. */
const interval = 5_000;
const worthwhile = 2_000;

/**
 * Moves the write-ahead log into the database every now and then, in a child and passively: neither the loop nor a writer waits.
 * Without it the log would grow for as long as the engine runs.
 * @param path of the database file
 * @returns the way to stop
 */
export function keepLogShort(database: BerthDatabase, path: string, report: (error: unknown) => void): () => void {
  let before = database.changes();
  const stop = new AbortController();
  let running = false;
  const timer = setInterval(() => {
    database.reserve();
    const now = database.changes();
    if (running || now - before < worthwhile) return;
    running = true;
    let complete = false;
    const onMessage = (message: unknown): void => {
      ({ complete } = message as { complete: boolean });
    };
    runJob('checkpoint', { path }, { signal: stop.signal, onMessage })
      .then(
        () => {
          // What was left of a busy log is done when it is quiet.
          before = complete ? now : -worthwhile;
        },
        (error: unknown) => {
          if (!stop.signal.aborted) report(error);
        },
      )
      .finally(() => {
        running = false;
      });
  }, interval);
  timer.unref();
  return () => {
    clearInterval(timer);
    stop.abort();
  };
}
