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

/** Hands each signal on until the returned function is called. Errors of `send` are ignored: the container may just have ended. */
export function forwardSignals(send: (signal: string) => Promise<void>): () => void {
  const handlers = forwarded.map((signal) => {
    const handler = (): void => void send(signal.slice('SIG'.length)).catch(() => undefined);
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}
