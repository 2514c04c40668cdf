/** An address (URL) without the user and password that may stand in it. */
export function redactedAddress(address: string): string {
  return address.replace(/^(\w[\w+.-]*:\/\/)[^/@]*@/, '$1');
}
