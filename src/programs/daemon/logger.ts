/** The engine's own log: one line each on stderr, as journald and people read it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];

export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export function isLogLevel(text: string): text is LogLevel {
  return (order as readonly string[]).includes(text);
}

/** @param least the lowest level that is written */
export function createLogger(least: LogLevel): Logger {
  const write = (level: LogLevel) => (message: string) => {
    if (order.indexOf(level) >= order.indexOf(least)) console.error(`${new Date().toISOString()} ${level} ${message}`);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
