/** What a container's query is answered with, as far as the names of containers go. */
import { type Answer, type Question, recordType, responseCode, reversedAddress } from './dns-message.ts';
import type { NameBook } from './name-book.ts';

const internet = 1;
const nothing: Answer = { code: responseCode.none, records: [] };

/**
 * @param id container that asks
 * @returns null: it is no container's affair, and the other servers are to be asked
 */
export function resolve(book: NameBook, id: string, question: Question): Answer | null {
  const sandbox = book.sandbox(id);
  if (!sandbox || question.class !== internet) return null;
  const { A, AAAA, MX, PTR } = recordType;
  if (question.type === PTR) {
    const address = reversedAddress(question.name);
    const name = address && book.nameOf(id, address);
    return name ? { code: responseCode.none, records: [{ type: PTR, name }] } : null;
  }
  const isAddress = question.type === A || question.type === AAAA;
  if (!isAddress && question.type !== MX) return null;
  const addresses = book.addresses(id, question.name);
  // A container's addresses are known, and that it has no mail server: nobody else is asked.
  if (addresses && !isAddress) return nothing;
  if (addresses) {
    const own = addresses.filter((address) => address.includes(':') === (question.type === AAAA));
    const type = question.type === AAAA ? AAAA : A;
    return { code: responseCode.none, records: shuffled(own).map((address) => ({ type, address })) };
  }
  return isAddress && sandbox.keepsShortNames && !question.name.includes('.') ? nothing : null;
}

/** Each asker begins with another one. */
function shuffled(addresses: string[]): string[] {
  for (let last = addresses.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [addresses[last], addresses[other]] = [addresses[other] as string, addresses[last] as string];
  }
  return addresses;
}
