import type { Cli } from '../command.ts';

/** Key of config.json's `proxies` → variable; each has a form in small letters too. */
const variables = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  noProxy: 'NO_PROXY',
  ftpProxy: 'FTP_PROXY',
  allProxy: 'ALL_PROXY',
} as const;

/**
 * Proxy settings for containers, out of config.json: those of this engine's host, else the default ones.
 * @param given the variables of the command line, which go before
 */
export function proxyVariables(cli: Pick<Cli, 'config' | 'client'>, given: readonly string[]): string[] {
  const { proxies } = cli.config;
  const settings = proxies?.[cli.client.host] ?? proxies?.['default'];
  if (!settings) return [];
  const names = new Set(given.map((text) => text.split('=')[0]));
  const lines: string[] = [];
  for (const [key, name] of Object.entries(variables)) {
    const value = settings[key];
    if (!value) continue;
    for (const variable of [name, name.toLowerCase()]) if (!names.has(variable)) lines.push(`${variable}=${value}`);
  }
  return lines;
}
