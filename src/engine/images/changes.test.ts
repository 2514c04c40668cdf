import { describe, expect, test } from 'bun:test';
import { applyChanges } from './changes.ts';
import { goPathMatch } from './go-path-match.ts';

describe('changes', () => {
  const cases: [line: string, config: object][] = [
    ['CMD ["a", "b"]', { Cmd: ['a', 'b'] }],
    ['CMD echo hi', { Cmd: ['/bin/sh', '-c', 'echo hi'] }],
    ['CMD', { Cmd: [] }],
    ['entrypoint ["/e"]', { Entrypoint: ['/e'] }],
    ['ENV A=1 B="two words" C=it\\ is', { Env: ['OLD=x', 'A=1', 'B=two words', 'C=it is'] }],
    ['ENV A the rest of it', { Env: ['OLD=x', 'A=the rest of it'] }],
    ['ENV OLD=new', { Env: ['OLD=new'] }],
    [
      'EXPOSE 80 53/udp 8000-8002',
      { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } },
    ],
    ['LABEL a=b \'c d\'="e f"', { Labels: { a: 'b', 'c d': 'e f' } }],
    ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
    ['STOPSIGNAL SIGINT', { StopSignal: 'SIGINT' }],
    ['USER 1000:1000', { User: '1000:1000' }],
    ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
    ['VOLUME ["/c d"]', { Volumes: { '/c d': {} } }],
    ['WORKDIR /x', { WorkingDir: '/x' }],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
    [
      'HEALTHCHECK --interval=5s --retries=3 CMD curl -f http://x',
      { Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://x'], Interval: 5_000_000_000, Retries: 3 } },
    ],
    ['HEALTHCHECK CMD ["a"]', { Healthcheck: { Test: ['CMD', 'a'] } }],
    ['# a comment', {}],
    ['USER a\nWORKDIR /b', { User: 'a', WorkingDir: '/b' }],
  ];
  test.each(cases)('%s', (line, config) => {
    expect(applyChanges({ Env: ['OLD=x'] }, [line])).toEqual({ Env: ['OLD=x'], ...config });
  });

  const refused: [line: string, message: string][] = [
    ['RUN x', 'RUN is not a valid change command'],
    ['FROM x', 'FROM is not a valid change command'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', `Syntax error - can't find = in "B"`],
    ['ENV =x', 'ENV names can not be blank'],
    ['USER', 'USER requires exactly one argument'],
    ['EXPOSE nine', 'invalid containerPort: nine'],
    ['EXPOSE 70000', 'invalid containerPort: 70000'],
    ['ONBUILD ONBUILD x', 'Chaining ONBUILD'],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['HEALTHCHECK --every=5s CMD x', 'unknown flag: --every'],
    ['HEALTHCHECK TRY x', 'unknown type "TRY" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK CMD', 'missing command after HEALTHCHECK CMD'],
    ['STOPSIGNAL a b', 'invalid signal: a b'],
  ];
  test.each(refused)('refused: %s', (line, message) => {
    expect(() => applyChanges({}, [line])).toThrow(message);
  });
});

describe('patterns match as Go’s path.Match does', () => {
  const cases: [pattern: string, name: string, matches: boolean | null][] = [
    ['busybox', 'busybox', true],
    ['busy*', 'busybox:latest', true],
    ['*', 'a/b', false],
    ['*/b', 'a/b', true],
    ['b?x', 'box', true],
    ['b?x', 'b/x', false],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[^a]x', '/x', false],
    ['a\\*', 'a*', true],
    ['a\\*', 'ab', false],
    ['a.b', 'axb', false],
    ['[', 'a', null],
    ['a\\', 'a', null],
    ['[z-a]', 'b', null],
  ];
  test.each(cases)('%s and %s', (pattern, name, matches) => {
    expect(goPathMatch(pattern, name)).toBe(matches);
  });
});
