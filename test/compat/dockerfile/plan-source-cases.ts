// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have such variables
/** Cases as in plan-cases.ts: where files come from, and what is refused. */
import type { PlanCase } from './plan-cases.ts';

const from = 'FROM busybox\n';

export const sourceCases: readonly PlanCase[] = [
  {
    name: 'COPY with an unknown flag',
    dockerfile: `${from}COPY --form=x a b`,
    error: { says: 'unknown flag: --form (did you mean from?)', line: 2 },
  },
  {
    name: 'COPY with a flag twice',
    dockerfile: `${from}COPY --chown=1 --chown=2 a b`,
    error: { says: 'duplicate flag specified: --chown', line: 2 },
  },
  {
    name: 'COPY with a flag without a value',
    dockerfile: `${from}COPY --chown a b`,
    error: { says: 'missing a value on flag: --chown', line: 2 },
  },
  {
    name: 'COPY with a bad mode',
    dockerfile: `${from}COPY --chmod=999 a b`,
    error: { says: 'invalid chmod parameter', line: 2 },
  },
  {
    name: 'COPY from itself',
    dockerfile: 'FROM busybox AS x\nCOPY --from=x a b',
    error: { says: 'circular dependency detected on stage: x', line: 2 },
  },
  {
    name: 'COPY from a later stage by index',
    dockerfile: 'FROM busybox\nCOPY --from=1 a b\nFROM busybox',
    target: '0',
    error: { says: 'cannot copy from stage "1", it needs to be defined before current stage "stage-0"', line: 2 },
  },
  {
    name: 'COPY from a stage that is none, by index',
    dockerfile: `${from}COPY --from=5 a b`,
    error: { says: 'invalid stage index 5', line: 2 },
  },
  {
    name: 'COPY from its own stage by index',
    dockerfile: `${from}COPY --from=0 a b`,
    error: { says: 'circular dependency detected on stage: stage-0', line: 2 },
  },
  {
    name: 'COPY from a variable',
    dockerfile: `ARG v=busybox\n${from}ARG v\nCOPY --from=${'$'}{v} a b`,
    error: { says: 'variable expansion is not supported for --from', line: 4 },
  },
  {
    name: 'RUN --mount from a variable',
    dockerfile: `${from}ARG v\nRUN --mount=target=/m,from=$v true`,
    error: { says: "'from' doesn't support variable expansion, define alias stage instead", line: 3 },
  },
  {
    name: 'ARG names are not expanded',
    dockerfile: `${from}ARG a=b\nARG $a=c`,
    history: ['ARG a=b', 'ARG $a=c'],
  },
  {
    name: 'COPY of a here-document keeps carriage returns',
    dockerfile: 'FROM busybox\r\nRUN cat <<E\r\nhi\r\nE\r\n',
    history: ['RUN /bin/sh -c cat <<E\nhi\r\nE # buildkit'],
  },
  {
    name: 'RUN of nothing by the shell',
    dockerfile: `${from}RUN`,
    history: ['RUN /bin/sh -c  # buildkit'],
  },
  { name: 'STOPSIGNAL of any number', dockerfile: `${from}STOPSIGNAL 99`, config: { StopSignal: '99' } },
  {
    name: 'WORKDIR stays as it is written',
    dockerfile: `${from}WORKDIR /a//b/`,
    config: { WorkingDir: '/a//b/' },
    history: ['WORKDIR /a//b/'],
  },
  {
    name: 'ONBUILD is not read before it is used',
    dockerfile: `${from}ONBUILD NOPE x`,
    config: { OnBuild: ['NOPE x'] },
  },
  { name: 'COPY from an image', dockerfile: `${from}COPY --from=debian /a /b`, images: ['busybox', 'debian'] },
  {
    name: 'COPY history',
    dockerfile: `${from}COPY --chown=1:2 --chmod=644 a b /c/`,
    history: ['COPY --chown=1:2 --chmod=644 a b /c/ # buildkit'],
  },
  { name: 'COPY JSON form', dockerfile: `${from}COPY ["a b", "c d"]`, history: ['COPY a b c d # buildkit'] },
  {
    name: 'COPY with a variable',
    dockerfile: `${from}ENV d=/x\nCOPY a $d/`,
    history: ['ENV d=/x', 'COPY a /x/ # buildkit'],
  },
  {
    name: 'COPY into a heredoc',
    dockerfile: `${from}COPY a <<E\nE`,
    error: { says: 'COPY cannot accept a heredoc as a destination', line: 2 },
  },
  {
    name: 'ADD flags are not those of COPY',
    dockerfile: `${from}ADD --from=x a b`,
    error: { says: 'unknown flag: --from', line: 2 },
  },
  {
    name: 'ADD with a bad checksum',
    dockerfile: `${from}ADD --checksum=foo http://example.com/x /`,
    error: { says: 'invalid checksum', line: 2 },
  },
  { name: 'heredoc without an end', dockerfile: `${from}RUN <<E\nx`, error: { says: 'unterminated heredoc', line: 2 } },
  {
    name: 'heredoc as a script',
    dockerfile: `${from}RUN <<E\necho a\necho b\nE`,
    history: ['RUN /bin/sh -c echo a\necho b\n # buildkit'],
  },
  {
    name: 'heredoc with tabs',
    dockerfile: `${from}RUN <<-E\n\techo a\n\tE`,
    history: ['RUN /bin/sh -c echo a\n # buildkit'],
  },
  {
    name: 'heredoc for a program',
    dockerfile: `${from}RUN cat <<E >/x\nhi\nE`,
    history: ['RUN /bin/sh -c cat <<E >/x\nhi\nE # buildkit'],
  },
  {
    name: 'heredocs of COPY',
    dockerfile: `${from}COPY <<a <<"b" /x/\n1\na\n2\nb`,
    history: ['COPY <<a <<b /x/ # buildkit'],
  },
  {
    name: 'a shift is no heredoc',
    dockerfile: `${from}RUN echo $((1<<2))\nENV a=b`,
    history: ['RUN /bin/sh -c echo $((1<<2)) # buildkit', 'ENV a=b'],
  },
  {
    name: 'names of steps with flags',
    dockerfile: `${from}RUN --network=none --mount=type=tmpfs,target=/t a`,
    steps: ['[2/2] RUN --network=none --mount=type=tmpfs,target=/t a'],
  },
  {
    name: 'names of steps',
    dockerfile: 'FROM busybox AS build\nRUN a\nFROM busybox\nCOPY --from=build /x /y',
    steps: ['[build 2/2] RUN a', '[stage-1 2/2] COPY --from=build /x /y'],
  },
];
