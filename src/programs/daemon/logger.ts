/** The engine's own log on stderr: a line each, as people and journald read it, or a JSON object each, as dockerd's `log-format: json`. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];

export interface Logger {
  /** The lowest level that is written. */
  least: LogLevel;
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface LoggerOptions {
  /** The lowest level that is written. */
  least: LogLevel;
  format: string;
}

export function isLogLevel(text: string): text is LogLevel {
  return (order as readonly string[]).includes(text);
}

export function createLogger({ least, format }: LoggerOptions): Logger {
  const render = format === 'json' ? jsonLine : textLine;
  const write = (level: LogLevel) => (message: string) => {
    if (order.indexOf(level) >= order.indexOf(logger.least)) console.error(render(level, message));
  };
  const logger: Logger = {
    least,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  };
  return logger;
}

function textLine(level: LogLevel, message: string): string {
  return `${new Date().toISOString()} ${level} ${message}`;
}

/** The keys of logrus, which is what readers of dockerd's log look for. */
function jsonLine(level: LogLevel, message: string): string {
  return JSON.stringify({ level: level === 'warn' ? 'warning' : level, msg: message, time: new Date().toISOString() });
}
