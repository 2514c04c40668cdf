/**
 * Autostart: root's command line starts this machine's engine where none answers. Only for verbs that want containers or images, only
 * where nothing names another engine, and never where somebody has turned it off: BERTH_AUTOSTART=0, or in config.json
 * `"plugins": {"berth": {"autostart": "false"}}`. Where the service is installed its unit is started, else `berth daemon` itself.
 */
import type { Connection, Endpoint, Transport } from '../client/transport/transport.ts';
import type { ConfigFile } from './config/config-file.ts';
import { defaultHost } from './config/host.ts';

export interface AutostartChoice {
  host: string;
  /** Somebody named an engine: `-H`, a variable, a context. */
  isNamed: boolean;
  environment: Record<string, string | undefined>;
  config: ConfigFile;
}

/** True where the engine may be started. */
export function mayStart({ host, isNamed, environment, config }: AutostartChoice): boolean {
  if (host !== defaultHost || isNamed || process.getuid?.() !== 0) return false;
  const settings = (config['plugins'] as Record<string, Record<string, string>> | undefined)?.['berth'];
  return !isOff(environment['BERTH_AUTOSTART']) && !isOff(settings?.['autostart']);
}

function isOff(text: string | undefined): boolean {
  return text !== undefined && /^(0|false|no|off)$/i.test(text);
}

/** Connects; where nobody listens it calls `start` once and tries again. */
export function startingTransport(transport: Transport, start: () => Promise<void>): Transport {
  return {
    async connect(endpoint: Endpoint): Promise<Connection> {
      try {
        return await transport.connect(endpoint);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code !== 'ENOENT' && code !== 'ECONNREFUSED') throw error;
        await start();
        return await transport.connect(endpoint);
      }
    },
  };
}
