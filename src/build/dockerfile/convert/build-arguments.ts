import { formatPlatform, type Platform } from '../../../oci/platform.ts';

/** Proxies reach RUN without being declared, and are in no key and no history. */
export const proxyNames: readonly string[] = [
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'FTP_PROXY',
  'ftp_proxy',
  'NO_PROXY',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
];

/** What a stage may declare without a value: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
export function platformArguments(build: Platform, target: Platform, stage: string): Map<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  return new Map([...of('BUILD', build), ...of('TARGET', target), ['TARGETSTAGE', stage || 'default']]);
}

/** `NAME=value` for RUN: the given proxies, in both spellings where one is given. */
export function proxyEnvironment(given: ReadonlyMap<string, string>): string[] {
  const found = new Map<string, string>();
  for (const name of proxyNames) {
    const value = given.get(name) ?? given.get(name.toUpperCase()) ?? given.get(name.toLowerCase());
    if (value !== undefined) found.set(name, value);
  }
  return [...found].map(([name, value]) => `${name}=${value}`);
}
