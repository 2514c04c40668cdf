/**
 * A certificate that nobody else vouches for (X.509 version 3, RFC 5280), for a registry without one. Clients trust it as
 * `/etc/docker/certs.d/<host:port>/ca.crt`. The runtime can read certificates and sign, but writes none; this is the DER it takes.
 */
import { createSign, generateKeyPairSync, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';

const lifetimeDays = 3650;
/** Days before its end at which a new one is made. */
const renewalDays = 30;
const day = 24 * 3600 * 1000;

export interface TlsFiles {
  cert: string;
  key: string;
}

/**
 * The certificate below `directory`; made where there is none for these names, or it ends soon.
 * @param names host names and addresses, the first one the subject
 */
export async function selfSigned(directory: string, names: readonly string[]): Promise<TlsFiles> {
  const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const known = await Promise.all([readFile(certPath, 'utf8'), readFile(keyPath, 'utf8')]).catch((): null => null);
  if (known && isGood(known[0], names)) return { cert: known[0], key: known[1] };
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const cert = pem('CERTIFICATE', certificate(names, publicKey, privateKey));
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [path, text, mode] of [
    [keyPath, key, 0o600],
    [certPath, cert, 0o644],
  ] as const) {
    await writeFile(`${path}.new`, text, { mode });
    await rename(`${path}.new`, path);
  }
  return { cert, key };
}

function isGood(cert: string, names: readonly string[]): boolean {
  const parsed = new X509Certificate(cert);
  if (Date.parse(parsed.validTo) < Date.now() + renewalDays * day) return false;
  return names.every((name) => (isIP(name) ? parsed.checkIP(name) : parsed.checkHost(name)) !== undefined);
}

function certificate(names: readonly string[], publicKey: KeyObject, privateKey: KeyObject): Buffer {
  const algorithm = sequence(objectId('1.2.840.10045.4.3.2')); // ecdsa-with-SHA256
  const subject = sequence(der(0x31, sequence(objectId('2.5.4.3'), der(0x0c, Buffer.from(names[0] ?? 'registry')))));
  const serial = randomBytes(16);
  // Positive, and without a leading zero.
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  const toSign = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm,
    subject,
    sequence(time(Date.now() - day), time(Date.now() + lifetimeDays * day)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(names))),
  );
  const signature = createSign('sha256').update(toSign).sign(privateKey);
  return sequence(toSign, algorithm, bitString(signature));
}

function extensions(names: readonly string[]): Buffer[] {
  const yes = der(0x01, Buffer.from([0xff]));
  const alternatives = names.map((name) => (isIP(name) ? der(0x87, addressBytes(name)) : der(0x82, Buffer.from(name))));
  const extension = (id: string, value: Buffer, ...critical: Buffer[]): Buffer =>
    sequence(objectId(id), ...critical, der(0x04, value));
  return [
    // It is its own authority.
    extension('2.5.29.19', sequence(yes), yes),
    extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...alternatives)),
  ];
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const first = words(head);
  const last = tail === undefined ? [] : words(tail);
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const bytes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...bytes]), body]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), bytes);
}

/** UTCTime, which is for years before 2050. */
function time(milliseconds: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(milliseconds).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = rest.flatMap((value) => {
    const groups = [value & 127];
    for (let left = value >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    return groups;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
