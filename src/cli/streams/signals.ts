/** Signals that a user sends to the command line and means for the container. */

/** All but those that the terminal, the kernel or the runtime sends for reasons of its own, and those nobody can catch. */
const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGTSTP',
] as const;

/** So many times a user asks a container that does not listen to end, before the client itself does. */
const patience = 3;

/**
 * Hands each signal on until the returned function is called. Errors of `send` are ignored: the container may just have ended.
 * The third SIGINT or SIGTERM ends the client with status 1 and leaves the container alone, as Docker's client does.
 */
export function forwardSignals(send: (signal: string) => Promise<void>): () => void {
  let asked = 0;
  const handlers = forwarded.map((signal) => {
    const handler = (): void => {
      void send(signal.slice('SIG'.length)).catch(() => undefined);
      if (signal !== 'SIGINT' && signal !== 'SIGTERM') return;
      asked++;
      if (asked < patience) return;
      console.error(`\ngot ${patience} SIGTERM/SIGINTs, forcefully exiting`);
      process.exit(1);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}
