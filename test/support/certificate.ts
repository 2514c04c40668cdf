/** A certificate that nobody but the test vouches for. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM certificate and key for these names (`DNS:…`, `IP:…`), signed by themselves. */
export function selfSigned(...names: string[]): { cert: string; key: string } {
  const directory = mkdtempSync(join(tmpdir(), 'berth-certificate-'));
  try {
    const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
    const subject = ['-subj', '/CN=berth test', '-addext', `subjectAltName=${names.join(',')}`];
    execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Files of an authority with an engine's and a client's certificate: `ca.pem`, `server*.pem`, `cert.pem`, `key.pem`, as Docker names them. */
export function certificateFolder(directory: string, ...names: string[]): void {
  const openssl = (...words: string[]): void => {
    execFileSync('openssl', words, { cwd: directory, stdio: 'pipe' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '30', '-subj', '/CN=authority', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  const issue = (name: string, keyFile: string, extensions: string): void => {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', 'request.pem');
    writeFileSync(join(directory, 'extensions'), extensions);
    const signed = [
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca-key.pem',
      '-CAcreateserial',
      '-days',
      '30',
      '-extfile',
      'extensions',
    ];
    openssl('x509', '-req', '-in', 'request.pem', ...signed, '-out', name);
  };
  issue('server.pem', 'server-key.pem', `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`);
  issue('cert.pem', 'key.pem', 'extendedKeyUsage=clientAuth\n');
}
