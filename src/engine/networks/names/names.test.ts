import { describe, expect, test } from 'bun:test';
import { isQuery, readQuestion, recordType, responseCode, writeAnswer } from './dns-message.ts';
import { NameBook, type SandboxNames } from './name-book.ts';
import { resolve } from './resolve.ts';

const { A, AAAA, MX, PTR } = recordType;

/** A query as clients write it. @param options size that an OPT record names */
function query(name: string, type: number = A, options = 0): Buffer {
  const header = Buffer.from(`12340100000100000000000${options > 0 ? '1' : '0'}`, 'hex');
  const labels = name.split('.').filter((label) => label !== '');
  const written = labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  const opt = Buffer.of(0, 0, 41, options >> 8, options & 255, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([header, ...written, Buffer.of(0, 0, type, 0, 1), ...(options > 0 ? [opt] : [])]);
}

describe('messages', () => {
  test('a question is read, with the size that the client takes', () => {
    expect(readQuestion(query('web.net'))).toEqual({ name: 'web.net', type: A, class: 1, end: 25, limit: 512 });
    expect(readQuestion(query('web.net', AAAA, 1232))?.limit).toBe(1232);
    expect(readQuestion(query('web', A, 100))?.limit).toBe(512);
    expect(readQuestion(query(''))?.name).toBe('');
  });

  test('what is no question is none', () => {
    const whole = query('some.name');
    for (let length = 12; length < whole.length; length++) expect(readQuestion(whole.subarray(0, length))).toBeNull();
    const pointer = Buffer.from(whole);
    pointer[12] = 0xc0;
    expect(readQuestion(pointer)).toBeNull();
    const two = Buffer.from(whole);
    two[5] = 2;
    expect(readQuestion(two)).toBeNull();
    const update = Buffer.from(whole);
    update[2] = 0x28;
    expect(readQuestion(update)).toBeNull();
    const reply = Buffer.from(whole);
    reply[2] = 0x81;
    expect(isQuery(reply)).toBe(false);
    expect(isQuery(Buffer.alloc(11))).toBe(false);
    expect(readQuestion(query(Array.from({ length: 5 }, () => 'x'.repeat(60)).join('.')))).toBeNull();
  });

  test('an answer has the question, the records and no more', () => {
    const asked = query('web', A, 1232);
    const question = readQuestion(asked);
    const records = [{ type: A, address: '10.1.2.3' } as const, { type: PTR, name: 'a.b' } as const];
    const reply = writeAnswer(asked, question, { code: responseCode.none, records }, 512);
    expect(reply.toString('hex')).toBe(
      '123481800001000200000000' +
        '0377656200' +
        '00010001' +
        'c00c0001000100000258' +
        '00040a010203' +
        'c00c000c000100000258' +
        '0005016101620' +
        '0',
    );
  });

  test('what does not fit is left out, and the client is told', () => {
    const asked = query('web');
    const records = Array.from({ length: 100 }, (_, index) => ({ type: A, address: `10.0.0.${index}` }) as const);
    const reply = writeAnswer(asked, readQuestion(asked), { code: responseCode.none, records }, 512);
    expect(reply.length).toBeLessThanOrEqual(512);
    expect(reply.readUInt16BE(2) & 0x0200).toBe(0x0200);
    expect(reply.readUInt16BE(6)).toBe(30);
    const whole = writeAnswer(asked, readQuestion(asked), { code: responseCode.none, records }, 65_535);
    expect(whole.readUInt16BE(2) & 0x0200).toBe(0);
    expect(whole.readUInt16BE(6)).toBe(100);
  });

  test('a query that cannot be read is answered by an error alone', () => {
    const reply = writeAnswer(query('x').subarray(0, 13), null, { code: responseCode.format, records: [] }, 512);
    expect(reply.toString('hex')).toBe('123481810000000000000000');
  });
});

interface Wish {
  network?: string;
  address: string;
  address6?: string;
  names: string[];
  links?: Record<string, string>;
}

function sandbox(id: string, endpoints: Wish[], more: Partial<SandboxNames> = {}): SandboxNames {
  return {
    id,
    endpoints: endpoints.map(({ network = 'net', address, address6, names, links = {} }) => ({
      network: `id of ${network}`,
      networkName: network,
      addresses: [address, ...(address6 ? [address6] : [])],
      names,
      links,
    })),
    upstreams: [],
    forwards: true,
    keepsShortNames: false,
    ...more,
  };
}

function bookOf(...sandboxes: SandboxNames[]): NameBook {
  const book = new NameBook();
  for (const one of sandboxes) book.put(one);
  return book;
}

function answers(book: NameBook, id: string, name: string, type: number = A): unknown {
  const question = readQuestion(query(name, type));
  const answer = question && resolve(book, id, question);
  return answer?.records.map((record) => ('address' in record ? record.address : record.name)).sort() ?? null;
}

test('an address of IPv6 is written in its sixteen bytes', () => {
  const asked = query('web', AAAA);
  const reply = writeAnswer(
    asked,
    readQuestion(asked),
    { code: 0, records: [{ type: AAAA, address: 'fd00::1:2' }] },
    512,
  );
  expect(reply.subarray(-16).toString('hex')).toBe('fd000000000000000000000000010002');
});

describe('names', () => {
  const book = bookOf(
    sandbox('web', [{ address: '10.0.0.2', names: ['web', 'al', 'abc'] }]),
    sandbox('web2', [{ address: '10.0.0.3', names: ['web2', 'al', 'dotted.name'] }]),
    sandbox('both', [
      { address: '10.0.0.4', names: ['both'], links: { other: 'web', web2: 'web' } },
      { network: 'a.b', address: '10.1.0.4', names: ['both'] },
    ]),
    sandbox('far', [{ network: 'a.b', address: '10.1.0.2', names: ['far'] }]),
  );

  test('are those of the same network, in any case, with and without its name', () => {
    expect(answers(book, 'web2', 'web')).toEqual(['10.0.0.2']);
    expect(answers(book, 'web2', 'WEB.net')).toEqual(['10.0.0.2']);
    expect(answers(book, 'web2', 'abc')).toEqual(['10.0.0.2']);
    expect(answers(book, 'web', 'dotted.name')).toEqual(['10.0.0.3']);
    expect(answers(book, 'web', 'dotted.name.net')).toEqual(['10.0.0.3']);
    expect(answers(book, 'web', 'far')).toBeNull();
    expect(answers(book, 'both', 'far')).toEqual(['10.1.0.2']);
    expect(answers(book, 'both', 'far.a.b')).toEqual(['10.1.0.2']);
    expect(answers(book, 'both', 'far.net')).toBeNull();
    expect(answers(book, 'web', 'web.nosuch')).toBeNull();
  });

  test('that several have give all addresses', () => {
    expect(answers(book, 'both', 'al')).toEqual(['10.0.0.2', '10.0.0.3']);
  });

  test('of links are known to one container, and come first', () => {
    expect(answers(book, 'both', 'other')).toEqual(['10.0.0.2']);
    expect(answers(book, 'both', 'other.net')).toEqual(['10.0.0.2']);
    expect(answers(book, 'both', 'web2')).toEqual(['10.0.0.2']);
    expect(answers(book, 'web', 'other')).toBeNull();
    expect(answers(book, 'both', 'constructor')).toBeNull();
  });

  test('have addresses of both families', () => {
    const v6 = bookOf(
      sandbox('web', [{ address: '10.0.0.2', address6: 'fd00::2', names: ['web', 'al'] }]),
      sandbox('web2', [{ address: '10.0.0.3', address6: 'fd00::3', names: ['web2', 'al'] }]),
    );
    expect(answers(v6, 'web', 'web2')).toEqual(['10.0.0.3']);
    expect(answers(v6, 'web', 'web2', AAAA)).toEqual(['fd00::3']);
    expect(answers(v6, 'web', 'al.net', AAAA)).toEqual(['fd00::2', 'fd00::3']);
    const zeros = '0.'.repeat(29);
    expect(answers(v6, 'web', `3.${zeros}d.f.ip6.arpa`, PTR)).toEqual(['web2.net']);
    expect(answers(v6, 'web', `9.${zeros}d.f.ip6.arpa`, PTR)).toBeNull();
    v6.drop('web2');
    expect(answers(v6, 'web', 'al', AAAA)).toEqual(['fd00::2']);
  });

  test('without an address of IPv6 have none, and no mail server: nobody else is asked', () => {
    expect(answers(book, 'web2', 'web', AAAA)).toEqual([]);
    expect(answers(book, 'web2', 'web', MX)).toEqual([]);
    expect(answers(book, 'web2', 'example.com', AAAA)).toBeNull();
    expect(answers(book, 'web2', 'web', 16)).toBeNull();
  });

  test('are found by address', () => {
    expect(answers(book, 'web2', '2.0.0.10.in-addr.arpa', PTR)).toEqual(['web.net']);
    expect(answers(book, 'web', '2.0.1.10.in-addr.arpa', PTR)).toBeNull();
    expect(answers(book, 'both', '2.0.1.10.in-addr.arpa', PTR)).toEqual(['far.a.b']);
    expect(answers(book, 'web', 'nonsense.in-addr.arpa', PTR)).toBeNull();
  });

  test('without a dot stay here where search domains are to be tried first', () => {
    const keeping = bookOf(sandbox('k', [{ address: '10.0.0.9', names: ['k'] }], { keepsShortNames: true }));
    expect(answers(keeping, 'k', 'nobody')).toEqual([]);
    expect(answers(keeping, 'k', 'nobody.org')).toBeNull();
  });

  test('go with their container, and change with it', () => {
    const changing = bookOf(
      sandbox('one', [{ address: '10.0.0.2', names: ['one', 'shared'] }]),
      sandbox('two', [{ address: '10.0.0.3', names: ['two', 'shared'] }]),
    );
    changing.put(sandbox('one', [{ address: '10.0.0.2', names: ['renamed', 'shared'] }]));
    expect(answers(changing, 'two', 'one')).toBeNull();
    expect(answers(changing, 'two', 'renamed')).toEqual(['10.0.0.2']);
    changing.drop('one');
    expect(answers(changing, 'two', 'renamed')).toBeNull();
    expect(answers(changing, 'two', 'shared')).toEqual(['10.0.0.3']);
    expect(answers(changing, 'two', '2.0.0.10.in-addr.arpa', PTR)).toBeNull();
    expect(answers(changing, 'one', 'two')).toBeNull();
    changing.drop('two');
    expect(changing.ids).toEqual([]);
  });
});
