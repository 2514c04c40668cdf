/** Values of options that are checked while they are parsed. Errors in Docker's words. */

/** A stream to attach, in small letters. */
export function checkStream(text: string): string {
  const stream = text.toLowerCase();
  if (['stdin', 'stdout', 'stderr'].includes(stream)) return stream;
  throw new Error('valid streams are STDIN, STDOUT and STDERR');
}

export function checkEnvironment(text: string): string {
  if (text === '' || text.startsWith('=')) throw new Error(`invalid environment variable: ${text}`);
  return text;
}

/** `name:address` or `name=address`; the address may stand in brackets. */
export function checkExtraHost(text: string): string {
  const separator = text.includes('=') ? text.indexOf('=') : text.indexOf(':');
  const name = text.slice(0, Math.max(0, separator));
  const address = text.slice(separator + 1).replace(/^\[(.*)\]$/, '$1');
  if (separator <= 0 || name === '' || address === '')
    throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
  if (address !== 'host-gateway' && !isAddress(address))
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  return `${name}:${address}`;
}

export function checkDnsServer(text: string): string {
  const address = text.trim();
  if (!isAddress(address)) throw new Error(`IP address is not correctly formatted: ${address}`);
  return address;
}

/** An IPv4 or IPv6 address, by its letters. */
export function isAddress(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text.split('.').every((part) => Number(part) <= 255);
  return /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%\w+)?$/.test(text) && text.includes(':') && !/:::/.test(text);
}
