import { constants } from 'node:os';

export interface PluginCall {
  path: string;
  /** The whole command line, global options in front. */
  argv: readonly string[];
  /** The engine that is meant, where nothing that the plugin reads itself names one. */
  host: string | undefined;
  configDirectory: string;
}

/**
 * Runs a plugin in our place, with our input and outputs; gives its exit status. Keys of a terminal reach it by themselves, other signals
 * are passed on.
 */
export async function runPlugin({ path, argv, host, configDirectory }: PluginCall): Promise<number> {
  const child = Bun.spawn([path, ...argv], {
    stdio: ['inherit', 'inherit', 'inherit'],
    env: {
      ...process.env,
      DOCKER_CONFIG: configDirectory,
      DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: process.execPath,
      ...(host !== undefined && { DOCKER_HOST: host }),
    },
  });
  const passOn = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, passOn);
  const code = await child.exited;
  for (const signal of signals) process.off(signal, passOn);
  return child.signalCode ? 128 + constants.signals[child.signalCode as NodeJS.Signals] : code;
}
