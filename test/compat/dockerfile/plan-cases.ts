// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have such variables
/**
 * Cases of the Dockerfile language that need no step to run: what the plan says. Names and expectations follow the case lists of BuildKit's
 * `frontend/dockerfile` and of buildah's build conformance; texts are our own.
 */
import type { ImagePlan } from '../../../src/build/dockerfile/convert/plan.ts';

export interface PlanCase {
  name: string;
  dockerfile: string;
  arguments?: Record<string, string>;
  target?: string;
  labels?: Record<string, string>;
  /** Parts of the config. */
  config?: Record<string, unknown>;
  /** The lines of the history that the build adds. */
  history?: string[];
  author?: string;
  /** Images that are asked for, in order. */
  images?: string[];
  /** Names of the steps. */
  steps?: string[];
  /** Something that the error says, and its line. */
  error?: { says: string | RegExp; line?: number };
  check?: (image: ImagePlan) => boolean;
}

const env = (...entries: string[]): string[] => [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  ...entries,
];
const from = 'FROM busybox\n';

export const planCases: readonly PlanCase[] = [
  {
    name: 'env substitution',
    dockerfile: `${from}ENV a=b c=$a d=\${a:-x}\nENV e=$a$a f=\${nope:-dflt}`,
    config: { Env: env('a=b', 'c=', 'd=x', 'e=bb', 'f=dflt') },
  },
  {
    name: 'env old form keeps blanks',
    dockerfile: `${from}ENV name  some value here`,
    config: { Env: env('name=some value here') },
  },
  {
    name: 'env quotes',
    dockerfile: `${from}ENV a="x y" b='x $y' c=x\\ y d="\\"q\\""`,
    config: { Env: env('a=x y', 'b=x $y', 'c=x y', 'd="q"') },
  },
  { name: 'env empty value', dockerfile: `${from}ENV a= b=""`, config: { Env: env('a=', 'b=') } },
  { name: 'env overwrites in place', dockerfile: `${from}ENV a=1 b=2\nENV a=3`, config: { Env: env('a=3', 'b=2') } },
  {
    name: 'env of PATH',
    dockerfile: `${from}ENV PATH=/foo:$PATH`,
    config: { Env: ['PATH=/foo:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
  },
  {
    name: 'modifiers: prefix and suffix',
    dockerfile: `${from}ENV f=a.tar.gz\nENV a=\${f#*.} b=\${f##*.} c=\${f%.*} d=\${f%%.*}`,
    config: { Env: env('f=a.tar.gz', 'a=tar.gz', 'b=gz', 'c=a.tar', 'd=a') },
  },
  {
    name: 'modifiers: replace',
    dockerfile: `${from}ENV f=banana\nENV a=\${f/an/AN} b=\${f//an/AN} c=\${f//a?/x}`,
    config: { Env: env('f=banana', 'a=bANana', 'b=bANANa', 'c=bxxa') },
  },
  {
    name: 'modifiers: alternative',
    dockerfile: `${from}ENV x=1 y=\nENV a=\${x:+set} b=\${y:+set} c=\${y+set} d=\${z+set} e=\${y-d} f=\${y:-d}`,
    config: { Env: env('x=1', 'y=', 'a=set', 'b=', 'c=set', 'd=', 'e=', 'f=d') },
  },
  {
    name: 'modifiers: required',
    dockerfile: `${from}ENV a="\${nope:?is missing}"`,
    error: { says: 'nope: is missing', line: 2 },
  },
  { name: 'modifiers: nested', dockerfile: `${from}ENV x=1\nENV a=\${y:-\${x}2}`, config: { Env: env('x=1', 'a=12') } },
  {
    name: 'modifiers: unknown',
    dockerfile: `${from}ENV a=\${x^y}`,
    error: { says: 'unsupported modifier (^) in substitution', line: 2 },
  },
  { name: 'modifiers: no end', dockerfile: `${from}ENV a=\${x`, error: { says: 'failed to process', line: 2 } },
  {
    name: 'escaped dollar',
    dockerfile: `${from}ENV a=\\$x b='$x' c="\\$x"`,
    config: { Env: env('a=$x', 'b=$x', 'c=$x') },
  },
  {
    name: 'escape directive',
    dockerfile: '# escape=`\nFROM busybox\nENV a=x `\n  b=c:\\foo',
    config: { Env: env('a=x', 'b=c:\\foo') },
  },
  {
    name: 'escape directive: wrong',
    dockerfile: '# escape=x\nFROM busybox',
    error: { says: "invalid ESCAPE 'x' does not match ` or \\", line: 1 },
  },
  {
    name: 'escape directive: twice',
    dockerfile: '# escape=`\n# escape=`\nFROM busybox',
    error: { says: 'only one escape parser directive can be used', line: 2 },
  },
  {
    name: 'directive after a comment is a comment',
    dockerfile: '# hello\n# escape=`\nFROM busybox\nENV a=b\\\nc',
    config: { Env: env('a=bc') },
  },
  {
    name: 'syntax directive',
    dockerfile: '# syntax=docker/dockerfile:1.7\nFROM busybox\nENV a=b',
    config: { Env: env('a=b') },
  },
  {
    name: 'syntax directive: another front end',
    dockerfile: '# syntax=example.com/other\nFROM busybox',
    error: { says: 'is not supported', line: 1 },
  },
  { name: 'check directive', dockerfile: '# check=skip=all\nFROM busybox', images: ['busybox'] },
  {
    name: 'comments',
    dockerfile:
      '# first\nFROM busybox\n  # indented\nENV a=b \\\n# within\n  # within, indented\n  c=d # no comment\\\n',
    error: { says: "can't find = in", line: 4 },
  },
  {
    name: 'comment within a continuation',
    dockerfile: `${from}ENV a=b \\\n# within\n   # and indented\n  c=d`,
    config: { Env: env('a=b', 'c=d') },
  },
  {
    name: 'empty lines within a continuation',
    dockerfile: `${from}ENV a=b \\\n\n  c=d`,
    config: { Env: env('a=b', 'c=d') },
  },
  {
    name: 'continuation with blanks behind it',
    dockerfile: `${from}ENV a=b \\   \n  c=d`,
    config: { Env: env('a=b', 'c=d') },
  },
  { name: 'continuation at the end of the file', dockerfile: `${from}ENV a=b \\`, config: { Env: env('a=b') } },
  {
    name: 'doubled escape sign is no continuation',
    dockerfile: `${from}ENV a=b\\\\\nENV c=d`,
    config: { Env: env('a=b\\', 'c=d') },
  },
  { name: 'byte order mark', dockerfile: '\uFEFFFROM busybox\nENV a=b', config: { Env: env('a=b') } },
  {
    name: 'carriage returns',
    dockerfile: 'FROM busybox\r\nENV a=b \\\r\n c=d\r\n',
    config: { Env: env('a=b', 'c=d') },
  },
  {
    name: 'tabs',
    dockerfile: 'FROM\tbusybox\nENV\ta=b\n\tLABEL\tc=d',
    config: { Env: env('a=b'), Labels: { c: 'd' } },
  },
  { name: 'small letters', dockerfile: 'from busybox\nenv a=b\ncmd ["x"]', config: { Env: env('a=b'), Cmd: ['x'] } },
  { name: 'empty file', dockerfile: '', error: { says: 'the Dockerfile cannot be empty', line: 1 } },
  { name: 'only comments', dockerfile: '# x\n\n# y\n', error: { says: 'file with no instructions', line: 1 } },
  { name: 'no FROM', dockerfile: 'RUN true', error: { says: 'no build stage in current context', line: 1 } },
  { name: 'only ARG', dockerfile: 'ARG a=b', error: { says: 'no stages', line: 1 } },
  {
    name: 'unknown instruction',
    dockerfile: `${from}FOO bar`,
    error: { says: 'dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)', line: 2 },
  },
  {
    name: 'unknown instruction: far from all',
    dockerfile: `${from}XYZZYPLUGH bar`,
    error: { says: /unknown instruction: XYZZYPLUGH$/, line: 2 },
  },
  { name: 'smart quotes', dockerfile: `${from}“RUN” x`, error: { says: 'unknown instruction', line: 2 } },
  {
    name: 'FROM without a name',
    dockerfile: 'FROM',
    error: { says: 'FROM requires either one or three arguments', line: 1 },
  },
  {
    name: 'FROM with two words',
    dockerfile: 'FROM a b',
    error: { says: 'FROM requires either one or three arguments', line: 1 },
  },
  {
    name: 'FROM with a bad name',
    dockerfile: 'FROM a AS 1x',
    error: { says: 'invalid name for build stage: "1x"', line: 1 },
  },
  { name: 'FROM with an argument', dockerfile: 'ARG v=1\nFROM busybox:$v', images: ['busybox:1'] },
  {
    name: 'FROM with an argument: overridden',
    dockerfile: 'ARG v=1\nFROM busybox:$v',
    arguments: { v: '2' },
    images: ['busybox:2'],
  },
  { name: 'FROM with a default', dockerfile: 'ARG v\nFROM busybox:${v:-3}', images: ['busybox:3'] },
  {
    name: 'FROM with an empty argument',
    dockerfile: 'ARG v\nFROM $v',
    error: { says: 'should not be blank', line: 2 },
  },
  {
    name: 'FROM does not see ENV',
    dockerfile: 'FROM busybox\nENV v=1\nFROM busybox:${v:-none}',
    images: ['busybox:none'],
  },
  {
    name: 'FROM a stage',
    dockerfile: 'FROM busybox AS base\nENV a=b\nFROM base',
    config: { Env: env('a=b') },
    images: ['busybox'],
  },
  {
    name: 'FROM a stage, whatever the case',
    dockerfile: 'FROM busybox AS Base\nENV a=b\nFROM BASE',
    config: { Env: env('a=b') },
  },
  {
    name: 'FROM a stage named like an image',
    dockerfile: 'FROM busybox AS debian\nFROM debian\nENV a=b',
    config: { Env: env('a=b') },
    images: ['busybox'],
  },
  { name: 'FROM scratch', dockerfile: 'FROM scratch\nCOPY a /', config: { Env: env(), WorkingDir: '/' }, images: [] },
  {
    name: 'FROM with a platform',
    dockerfile: 'FROM --platform=linux/amd64 busybox\nENV a=b',
    config: { Env: env('a=b') },
  },
  {
    name: 'FROM with the build platform',
    dockerfile: 'FROM --platform=$BUILDPLATFORM busybox\nENV a=b',
    config: { Env: env('a=b') },
  },
  { name: 'FROM with a bad flag', dockerfile: 'FROM --foo=1 busybox', error: { says: 'unknown flag: --foo', line: 1 } },
  { name: 'image that is not there', dockerfile: 'FROM nosuch', error: { says: 'No such image', line: 1 } },
  {
    name: 'unused stage is not looked at',
    dockerfile: 'FROM nosuch AS unused\nRUN x\nFROM busybox',
    images: ['busybox'],
  },
  {
    name: 'target',
    dockerfile: 'FROM busybox AS a\nENV x=1\nFROM busybox AS b\nENV x=2',
    target: 'a',
    config: { Env: env('x=1') },
  },
  {
    name: 'target by index',
    dockerfile: 'FROM busybox\nENV x=1\nFROM busybox\nENV x=2',
    target: '0',
    config: { Env: env('x=1') },
  },
  {
    name: 'target that is not there',
    dockerfile: from,
    target: 'x',
    error: { says: 'target stage "x" could not be found' },
  },
  { name: 'ARG default', dockerfile: `${from}ARG a=b\nENV c=$a`, config: { Env: env('c=b') } },
  { name: 'ARG given', dockerfile: `${from}ARG a=b\nENV c=$a`, arguments: { a: 'z' }, config: { Env: env('c=z') } },
  {
    name: 'ARG before its declaration',
    dockerfile: `${from}ENV c=\${a:-none}\nARG a=b`,
    arguments: { a: 'z' },
    config: { Env: env('c=none') },
  },
  {
    name: 'ARG loses against an ENV that comes later',
    dockerfile: `${from}ARG a=arg\nENV a=env\nENV c=$a`,
    arguments: { a: 'given' },
    config: { Env: env('a=env', 'c=env') },
  },
  {
    name: 'ARG behind an ENV counts until the next one',
    dockerfile: `${from}ENV a=env\nARG a=arg\nENV c=$a\nENV a=again\nENV d=$a`,
    arguments: { a: 'given' },
    config: { Env: env('a=again', 'c=given', 'd=again') },
  },
  {
    name: 'ARG behind an ENV and without a value',
    dockerfile: `${from}ENV a=env\nARG a\nENV c=$a`,
    config: { Env: env('a=env', 'c=env') },
  },
  {
    name: 'ARGs go on in the stages that follow',
    dockerfile: 'FROM busybox AS base\nARG a=1\nFROM base\nENV c=$a\nRUN x',
    config: { Env: env('c=1') },
    history: ['ARG a=1', 'ENV c=1', 'RUN |1 a=1 /bin/sh -c x # buildkit'],
  },
  { name: 'ARG of before FROM', dockerfile: 'ARG a=top\nFROM busybox\nARG a\nENV c=$a', config: { Env: env('c=top') } },
  {
    name: 'ARG of before FROM is not seen without ARG',
    dockerfile: 'ARG a=top\nFROM busybox\nENV c=${a:-none}',
    config: { Env: env('c=none') },
  },
  {
    name: 'ARG ends with its stage',
    dockerfile: 'FROM busybox AS x\nARG a=b\nFROM busybox\nENV c=${a:-none}',
    config: { Env: env('c=none') },
  },
  {
    name: 'ARG several',
    dockerfile: `${from}ARG a=1 b=2 c\nENV d=$a$b$c`,
    arguments: { c: '3' },
    config: { Env: env('d=123') },
  },
  { name: 'ARG is in no config', dockerfile: `${from}ARG a=b`, config: { Env: env() }, history: ['ARG a=b'] },
  { name: 'ARG blank', dockerfile: `${from}ARG =b`, error: { says: 'ARG names can not be blank', line: 2 } },
  {
    name: 'ARG without a word',
    dockerfile: `${from}ARG`,
    error: { says: 'ARG requires at least one argument', line: 2 },
  },
  {
    name: 'platform arguments',
    dockerfile: `${from}ARG TARGETOS TARGETARCH\nENV x=$TARGETOS/$TARGETARCH`,
    config: { Env: env('x=linux/amd64') },
  },
  {
    name: 'platform arguments must be declared',
    dockerfile: `${from}ENV x=\${TARGETOS:-none}`,
    config: { Env: env('x=none') },
  },
  {
    name: 'TARGETSTAGE',
    dockerfile: 'FROM busybox AS st\nARG TARGETSTAGE\nENV x=$TARGETSTAGE',
    target: 'st',
    config: { Env: env('x=st') },
  },
  {
    name: 'LABEL',
    dockerfile: `${from}LABEL a=b "c d"="e f"\nLABEL g h i`,
    config: { Labels: { a: 'b', 'c d': 'e f', g: 'h i' } },
  },
  {
    name: 'LABEL with a variable',
    dockerfile: `${from}ENV v=1\nLABEL version="$v"`,
    config: { Labels: { version: '1' } },
  },
  {
    name: 'LABEL of the command line',
    dockerfile: `${from}LABEL a=b`,
    labels: { a: 'c', d: 'e' },
    config: { Labels: { a: 'c', d: 'e' } },
  },
  {
    name: 'LABEL without a value',
    dockerfile: `${from}LABEL a`,
    error: { says: 'LABEL must have two arguments', line: 2 },
  },
  {
    name: 'CMD shell form',
    dockerfile: `${from}CMD echo $HOME`,
    config: { Cmd: ['/bin/sh', '-c', 'echo $HOME'], ArgsEscaped: true },
  },
  { name: 'CMD exec form', dockerfile: `${from}CMD ["echo", "a b"]`, config: { Cmd: ['echo', 'a b'] } },
  { name: 'CMD: the last one counts', dockerfile: `${from}CMD a\nCMD b`, config: { Cmd: ['/bin/sh', '-c', 'b'] } },
  {
    name: 'CMD: broken JSON is for the shell',
    dockerfile: `${from}CMD ["a", ]`,
    config: { Cmd: ['/bin/sh', '-c', '["a", ]'] },
  },
  {
    name: 'CMD: single quotes are no JSON',
    dockerfile: `${from}CMD ['a']`,
    config: { Cmd: ['/bin/sh', '-c', "['a']"] },
  },
  { name: 'CMD empty list', dockerfile: `${from}CMD []`, config: { Cmd: null } },
  {
    name: 'ENTRYPOINT forgets an inherited CMD',
    dockerfile: `${from}ENTRYPOINT ["x"]`,
    config: { Entrypoint: ['x'], Cmd: null },
  },
  {
    name: 'ENTRYPOINT keeps an own CMD',
    dockerfile: `${from}CMD ["y"]\nENTRYPOINT ["x"]`,
    config: { Entrypoint: ['x'], Cmd: ['y'] },
  },
  {
    name: 'ENTRYPOINT shell form',
    dockerfile: `${from}ENTRYPOINT exec top -b`,
    config: { Entrypoint: ['/bin/sh', '-c', 'exec top -b'] },
  },
  {
    name: 'SHELL',
    dockerfile: `${from}SHELL ["/bin/ash", "-ec"]\nCMD x`,
    config: { Shell: ['/bin/ash', '-ec'], Cmd: ['/bin/ash', '-ec', 'x'] },
  },
  {
    name: 'SHELL must be JSON',
    dockerfile: `${from}SHELL /bin/ash`,
    error: { says: 'SHELL requires the arguments to be in JSON form', line: 2 },
  },
  {
    name: 'WORKDIR adds up',
    dockerfile: `${from}WORKDIR /a\nWORKDIR b\nWORKDIR c/d`,
    config: { WorkingDir: '/a/b/c/d' },
    history: ['WORKDIR /a', 'WORKDIR /a/b', 'WORKDIR /a/b/c/d'],
  },
  { name: 'WORKDIR with a variable', dockerfile: `${from}ENV d=/x\nWORKDIR $d/y`, config: { WorkingDir: '/x/y' } },
  { name: 'WORKDIR upwards', dockerfile: `${from}WORKDIR /a/b\nWORKDIR ../c`, config: { WorkingDir: '/a/c' } },
  {
    name: 'WORKDIR without a word',
    dockerfile: `${from}WORKDIR`,
    error: { says: 'WORKDIR requires exactly one argument', line: 2 },
  },
  { name: 'USER', dockerfile: `${from}ARG u=me\nUSER $u:grp`, config: { User: 'me:grp' } },
  {
    name: 'EXPOSE',
    dockerfile: `${from}ENV p=8080\nEXPOSE 80 $p/udp 90-92/tcp`,
    config: { ExposedPorts: { '80/tcp': {}, '8080/udp': {}, '90/tcp': {}, '91/tcp': {}, '92/tcp': {} } },
  },
  {
    name: 'EXPOSE: one variable, two ports',
    dockerfile: `${from}ENV p="80 81"\nEXPOSE 79 $p`,
    error: { says: 'invalid containerPort', line: 3 },
  },
  { name: 'EXPOSE nonsense', dockerfile: `${from}EXPOSE foo`, error: { says: 'invalid containerPort: foo', line: 2 } },
  {
    name: 'EXPOSE unknown protocol',
    dockerfile: `${from}EXPOSE 80/foo`,
    error: { says: 'invalid proto: foo', line: 2 },
  },
  {
    name: 'VOLUME',
    dockerfile: `${from}VOLUME /a /b\nVOLUME ["/c d"]`,
    config: { Volumes: { '/a': {}, '/b': {}, '/c d': {} } },
  },
  {
    name: 'VOLUME empty',
    dockerfile: `${from}VOLUME [""]`,
    error: { says: 'VOLUME specified can not be an empty string', line: 2 },
  },
  { name: 'STOPSIGNAL', dockerfile: `${from}ENV s=SIGUSR1\nSTOPSIGNAL $s`, config: { StopSignal: 'SIGUSR1' } },
  { name: 'STOPSIGNAL nonsense', dockerfile: `${from}STOPSIGNAL !`, error: { says: 'invalid signal: !', line: 2 } },
  {
    name: 'HEALTHCHECK',
    dockerfile: `${from}HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --start-interval=2s --retries=3 CMD ["x"]`,
    config: {
      Healthcheck: {
        Test: ['CMD', 'x'],
        Interval: 5e9,
        Timeout: 3e9,
        StartPeriod: 60e9,
        StartInterval: 2e9,
        Retries: 3,
      },
    },
  },
  { name: 'HEALTHCHECK NONE', dockerfile: `${from}HEALTHCHECK NONE`, config: { Healthcheck: { Test: ['NONE'] } } },
  {
    name: 'HEALTHCHECK of an unknown kind',
    dockerfile: `${from}HEALTHCHECK FOO x`,
    error: { says: 'Unknown type "FOO" in HEALTHCHECK (try CMD)', line: 2 },
  },
  {
    name: 'HEALTHCHECK without a command',
    dockerfile: `${from}HEALTHCHECK CMD`,
    error: { says: 'Missing command after HEALTHCHECK CMD', line: 2 },
  },
  {
    name: 'HEALTHCHECK too short',
    dockerfile: `${from}HEALTHCHECK --interval=1us CMD x`,
    error: { says: 'cannot be less than 1ms', line: 2 },
  },
  {
    name: 'ONBUILD is kept',
    dockerfile: `${from}ONBUILD RUN echo hi\nONBUILD COPY . /x`,
    config: { OnBuild: ['RUN echo hi', 'COPY . /x'] },
  },
  {
    name: 'ONBUILD is done by the next stage',
    dockerfile: 'FROM busybox AS a\nONBUILD ENV x=y\nFROM a',
    config: { Env: env('x=y'), OnBuild: null },
  },
  {
    name: 'ONBUILD ONBUILD',
    dockerfile: `${from}ONBUILD ONBUILD RUN x`,
    error: { says: "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", line: 2 },
  },
  {
    name: 'ONBUILD FROM',
    dockerfile: `${from}ONBUILD FROM x`,
    error: { says: "FROM isn't allowed as an ONBUILD trigger", line: 2 },
  },
  {
    name: 'ONBUILD MAINTAINER',
    dockerfile: `${from}ONBUILD MAINTAINER x`,
    error: { says: "MAINTAINER isn't allowed as an ONBUILD trigger", line: 2 },
  },
  {
    name: 'MAINTAINER',
    dockerfile: `${from}MAINTAINER me <me@example.com>`,
    author: 'me <me@example.com>',
    history: ['MAINTAINER me <me@example.com>'],
  },
  {
    name: 'RUN history',
    dockerfile: `${from}RUN echo hi\nRUN ["echo", "hi"]`,
    history: ['RUN /bin/sh -c echo hi # buildkit', 'RUN echo hi # buildkit'],
  },
  {
    name: 'RUN history with arguments',
    dockerfile: `${from}ARG a=1\nRUN echo $a`,
    history: ['ARG a=1', 'RUN |1 a=1 /bin/sh -c echo $a # buildkit'],
  },
  {
    name: 'RUN without a word',
    dockerfile: `${from}RUN []`,
    error: { says: 'RUN requires at least one argument', line: 2 },
  },
  { name: 'RUN with a bad flag', dockerfile: `${from}RUN --foo x`, error: { says: 'unknown flag: --foo', line: 2 } },
  {
    name: 'RUN mount of an unknown kind',
    dockerfile: `${from}RUN --mount=type=foo x`,
    error: { says: 'unsupported mount type "foo"', line: 2 },
  },
  {
    name: 'RUN mount without a target',
    dockerfile: `${from}RUN --mount=type=cache x`,
    error: { says: 'target is required', line: 2 },
  },
  {
    name: 'RUN mount with an unknown key',
    dockerfile: `${from}RUN --mount=type=cache,target=/x,foo=bar y`,
    error: { says: "unexpected key 'foo' in 'foo=bar'", line: 2 },
  },
  {
    name: 'RUN network of an unknown kind',
    dockerfile: `${from}RUN --network=foo x`,
    error: { says: 'invalid network mode "foo"', line: 2 },
  },
  {
    name: 'RUN insecure is refused',
    dockerfile: `${from}RUN --security=insecure x`,
    error: { says: 'security.insecure is not allowed', line: 2 },
  },
  {
    name: 'COPY without a destination',
    dockerfile: `${from}COPY a`,
    error: {
      says: 'COPY requires at least two arguments, but only one was provided. Destination could not be determined',
      line: 2,
    },
  },
  {
    name: 'COPY here-documents come last in the history',
    dockerfile: `${from}COPY <<a b <<c /c\n1\na\n2\nc\n`,
    history: ['COPY b <<a <<c /c # buildkit'],
  },
  {
    name: 'COPY history without --link',
    dockerfile: `${from}COPY --link --chown=1 a /c`,
    history: ['COPY --chown=1 a /c # buildkit'],
  },
  {
    name: 'ADD with a checksum of a file in the context',
    dockerfile: `${from}ADD --checksum=sha256:00 a /c`,
    error: { says: 'checksum requires HTTP(S) or Git sources', line: 2 },
  },
  {
    name: 'RUN --network=host is refused',
    dockerfile: `${from}RUN --network=host x`,
    error: { says: 'network.host is not allowed', line: 2 },
  },
  {
    name: 'CMD with a list that is not of strings',
    dockerfile: `${from}CMD ["a", 1]`,
    error: { says: 'arrays must be comprised of strings only', line: 2 },
  },
  {
    name: 'a NUL byte',
    dockerfile: `${from}RUN a \0 b`,
    error: { says: 'the line has a NUL byte', line: 2 },
  },
  {
    name: 'STOPSIGNAL of no name',
    dockerfile: `${from}STOPSIGNAL FOO`,
    error: { says: 'invalid signal: FOO', line: 2 },
  },
  {
    name: 'WORKDIR of nothing',
    dockerfile: `${from}WORKDIR /a\nWORKDIR $nope`,
    config: { WorkingDir: '/a', Env: env() },
  },
];
