/** TLS of the API over TCP: https://docs.docker.com/engine/security/protect-access/ */
import { readFileSync } from 'node:fs';
import { BerthError, systemReason } from '../../api/errors.ts';
import type { ServerTls } from '../../server/http/listen.ts';
import type { DaemonConfig } from './config.ts';

/** Reads the files; null without TLS. Error: `invalid` in dockerd's words. */
export function readServerTls(config: DaemonConfig): ServerTls | null {
  if (!config.tls) return null;
  const { tlscert, tlskey, tlscacert } = config;
  const pair = (why: string, cause: unknown): BerthError =>
    new BerthError(
      'invalid',
      `invalid TLS configuration: Could not load X509 key pair (cert: "${tlscert}", key: "${tlskey}"): ${why}`,
      { cause },
    );
  const read = (path: string, refuse: typeof pair): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw refuse(`open ${path}: ${systemReason(cause)}`, cause);
    }
  };
  const [certificate, key] = [read(tlscert, pair), read(tlskey, pair)];
  if (!certificate.includes('-----BEGIN CERTIFICATE-----')) throw pair('tls: failed to find any PEM data', undefined);
  if (!config.tlsverify) return { certificate, key };
  const authority = read(
    tlscacert,
    (why, cause) =>
      new BerthError('invalid', `invalid TLS configuration: could not read CA certificate: ${why}`, { cause }),
  );
  return { certificate, key, clientAuthority: authority };
}
