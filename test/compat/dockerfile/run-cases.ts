/**
 * Cases of the Dockerfile language that only a build can answer. Steps check themselves: a build that succeeds holds. Names follow the case lists
 * of BuildKit and buildah; texts are our own.
 */

export interface RunCase {
  name: string;
  dockerfile: string;
  /** Files of the context; an object is no plain file. */
  files?: Record<
    string,
    | string
    | { link: string }
    /** Another name of a file. */
    | { same: string }
    | { pipe: true }
    | { socket: true }
    | { text: string; mode: number }
    | { tar: Record<string, string> }
  >;
  /** Seconds since 1970: when all of the context was changed. */
  times?: number;
  flags?: string[];
  env?: Record<string, string>;
  /** Something the failure says; absent: the build succeeds. */
  fails?: string;
}

const from = 'FROM busybox\n';
const context = { a: 'A\n', b: 'B\n', 'd/x': 'X\n', 'd/sub/y': 'Y\n' };

export const runCases: readonly RunCase[] = [
  { name: 'COPY file to file', files: context, dockerfile: `${from}COPY a /f\nRUN test "$(cat /f)" = A` },
  { name: 'COPY file into a directory', files: context, dockerfile: `${from}COPY a /new/\nRUN test -f /new/a` },
  {
    name: 'COPY file into a directory that is there',
    files: context,
    dockerfile: `${from}COPY a /tmp\nRUN test -f /tmp/a`,
  },
  { name: 'COPY several', files: context, dockerfile: `${from}COPY a b /x/\nRUN test -f /x/a && test -f /x/b` },
  {
    name: 'COPY the contents of a directory',
    files: context,
    dockerfile: `${from}COPY d /x\nRUN test -f /x/x && test -f /x/sub/y && ! test -e /x/d`,
  },
  { name: 'COPY all', files: context, dockerfile: `${from}COPY . /x\nRUN test -f /x/d/sub/y && test -f /x/a` },
  {
    name: 'COPY with a pattern',
    files: context,
    dockerfile: `${from}COPY [ab] /x/\nCOPY d/* /y/\nRUN ls /x /y; test -f /x/b && test -f /y/x && test -f /y/y`,
  },
  {
    name: 'COPY relative to WORKDIR',
    files: context,
    dockerfile: `${from}WORKDIR /w\nCOPY a .\nCOPY b c\nRUN test -f /w/a && test -f /w/c`,
  },
  {
    name: 'COPY names with blanks',
    files: { 'x y': '1' },
    dockerfile: `${from}COPY ["x y", "/a b"]\nRUN test -f "/a b"`,
  },
  {
    name: 'COPY belongs to root',
    files: context,
    dockerfile: `${from}COPY a /f\nRUN test "$(stat -c %u:%g /f)" = 0:0`,
  },
  {
    name: 'COPY --chown by number',
    files: context,
    dockerfile: `${from}COPY --chown=5:6 d /x\nRUN test "$(stat -c %u:%g /x)" = 5:6 && test "$(stat -c %u:%g /x/sub/y)" = 5:6`,
  },
  {
    name: 'COPY --chown by name',
    files: context,
    dockerfile: `${from}RUN mkdir -p /etc && echo "me:x:7:8::/:/bin/sh" >>/etc/passwd && echo "us:x:9:" >>/etc/group\nCOPY --chown=me a /a\nCOPY --chown=me:us a /b\nRUN test "$(stat -c %u:%g /a)" = 7:8 && test "$(stat -c %u:%g /b)" = 7:9`,
  },
  {
    name: 'COPY --chown of names that nobody knows',
    files: context,
    dockerfile: `${from}RUN mkdir -p /etc && echo "me:x:7:8::/:/bin/sh" >>/etc/passwd\nCOPY --chown=nobodyknows a /a\nCOPY --chown=5:nobodyknows a /b\nCOPY --chown=me:nobodyknows a /c\nCOPY --chown=me: a /d\nCOPY --chown=-1 a /e\nCOPY --chown=4294967296 a /f\nCOPY --link --chown=me a /g\nRUN test "$(stat -c %u:%g /a /b /c /d /e /f /g | tr '\\n' ' ')" = "0:0 5:5 7:8 7:0 0:0 0:0 7:8 "`,
  },
  {
    name: 'COPY --chmod',
    files: context,
    dockerfile: `${from}COPY --chmod=741 a /a\nCOPY --chmod=u=rwX,go=rX d /d\nRUN test "$(stat -c %a /a)" = 741 && test "$(stat -c %a /d/x)" = 644`,
  },
  {
    name: 'COPY --exclude takes nothing of what is named, and is not expanded',
    files: context,
    dockerfile: `${from}ARG p=x\nCOPY --exclude=a --exclude=/x --exclude=$p a [ab] d /y/\nRUN test "$(ls -d /y/a /y/b /y/x)"`,
  },
  {
    name: 'COPY --exclude',
    files: context,
    dockerfile: `${from}COPY --exclude=sub --exclude=*.md d /x\nRUN test -f /x/x && ! test -e /x/sub`,
  },
  {
    name: 'COPY --parents',
    files: context,
    dockerfile: `${from}COPY --parents d/sub/y a /x/\nRUN test -f /x/d/sub/y && test -f /x/a`,
  },
  {
    name: 'COPY --parents with a pivot',
    files: context,
    dockerfile: `${from}COPY --parents d/./sub/y /x/\nRUN test -f /x/sub/y`,
  },
  {
    name: 'COPY --link',
    files: context,
    dockerfile: `${from}RUN mkdir /x && echo old >/x/o\nCOPY --link a /x/\nRUN test -f /x/a && test -f /x/o`,
  },
  {
    name: 'COPY of a link leads to its target',
    files: { ...context, l: { link: 'a' } },
    dockerfile: `${from}COPY l /x\nRUN test "$(cat /x)" = A && ! test -L /x`,
  },
  {
    name: 'COPY of links: their own names, what they lead to',
    files: { ...context, l: { link: '../../b' }, ln: { link: 'd' } },
    dockerfile: `${from}COPY l /x/\nCOPY l* /y/\nRUN test "$(cat /x/l /y/l)" = "$(printf 'B\\nB')" && test -f /y/x && ! test -L /y/l && ! test -e /y/ln`,
  },
  {
    name: 'COPY of a link to nowhere that a pattern finds',
    files: { ...context, l: { link: 'nope' } },
    dockerfile: `${from}COPY l* /x/`,
    fails: '"/l": not found',
  },
  {
    name: 'COPY keeps links in a directory',
    files: { 'd/x': '1', 'd/l': { link: 'x' } },
    dockerfile: `${from}COPY d /d\nRUN test -L /d/l && test "$(readlink /d/l)" = x`,
  },
  {
    name: 'COPY through a link of the image',
    files: context,
    dockerfile: `${from}RUN mkdir /real && ln -s /real /ln\nCOPY a /ln/\nRUN test -f /real/a && test -L /ln`,
  },
  {
    name: 'COPY onto a link to a file, or to nowhere',
    files: context,
    dockerfile: `${from}RUN mkdir /t && echo old >/f && ln -s f /l && ln -s t/new /n && ln -s /f /t/a\nCOPY a /l\nCOPY <<E /n\nN\nE\nCOPY a /t/\nRUN test "$(cat /f)" = A && test -L /l && test "$(cat /t/new)" = N && test -L /n && ! test -L /t/a`,
  },
  {
    name: 'COPY onto a circle of links',
    files: context,
    dockerfile: `${from}RUN ln -s l /l\nCOPY a /l`,
    fails: 'too many links',
  },
  {
    name: 'COPY keeps times of directories and links',
    files: { 'd/sub/f': 'F', 'd/l': { link: 'sub' } },
    times: 1_500_000_000,
    dockerfile: `${from}RUN mkdir -m 700 /there && chown 5 /there\nCOPY d /x\nCOPY d /there\nRUN test "$(stat -c %Y /x /x/sub /x/l /there | sort -u)" = 1500000000 && test "$(stat -c %a:%u /there)" = 700:5`,
  },
  {
    name: 'COPY keeps names of one file together',
    files: { 'd/1': 'same', 'd/2': { same: 'd/1' }, 'd/sub/3': { same: 'd/1' } },
    dockerfile: `${from}COPY d /x\nCOPY d/1 d/2 /y/\nRUN test "$(stat -c %h /x/sub/3 /y/1)" = "$(printf '3\\n1')"\nFROM busybox\nCOPY --from=0 /x /x\nRUN test "$(stat -c %h /x/1)" = 3`,
  },
  {
    name: 'COPY of pipes and sockets',
    files: { a: 'A', p: { pipe: true }, s: { socket: true } },
    dockerfile: `${from}COPY . /x\nCOPY p /p\nRUN test -p /x/p && test -p /p && test -f /x/s && ! test -s /x/s`,
  },
  {
    name: 'COPY upwards stays in the context',
    files: context,
    dockerfile: `${from}COPY ../../a /x\nRUN test "$(cat /x)" = A`,
  },
  { name: 'COPY of nothing', files: context, dockerfile: `${from}COPY nope /x`, fails: '"/nope": not found' },
  {
    name: 'COPY of a pattern without a match',
    files: context,
    dockerfile: `${from}COPY nope* /x/\nCOPY a nope? /y\nRUN ! test -e /x && test -f /y`,
  },
  {
    name: 'of several files for one place the last one stays',
    files: context,
    dockerfile: `${from}COPY a b /y\nCOPY [ab] /z\nADD b a /v\nCOPY <<c <<d a /w\n1\nc\n2\nd\nRUN test "$(cat /y /z /v /w | tr '\\n' ' ')" = "B B A 2 "`,
  },
  {
    name: 'COPY directories into one',
    files: context,
    dockerfile: `${from}COPY d d/sub /y\nRUN test -f /y/x && test -f /y/y && test -f /y/sub/y`,
  },
  {
    name: 'COPY a file, then a directory',
    files: context,
    dockerfile: `${from}COPY a d /y`,
    fails: 'cannot copy to non-directory: /y',
  },
  {
    name: 'COPY --chmod is for what is made on the way too',
    files: context,
    dockerfile: `${from}COPY --chmod=0750 d /n/x\nCOPY --chmod=u=rwx,go= d /s\nCOPY <<e /h/f\n1\ne\nRUN test "$(stat -c %a /n /n/x /s /h | tr '\\n' ' ')" = "750 750 755 755 "`,
  },
  {
    name: 'COPY a file onto a directory',
    files: context,
    dockerfile: `${from}RUN mkdir -p /t/a\nCOPY a /t/`,
    fails: 'cannot replace to directory /t/a with file',
  },
  {
    name: 'WORKDIR belongs to USER',
    dockerfile: `${from}RUN echo me:x:7:8::/:/bin/sh >> /etc/passwd\nUSER me\nWORKDIR /a/b\nUSER 5:6\nWORKDIR /c\nUSER nobody-knows\nWORKDIR /d\nUSER 0\nRUN test "$(stat -c %u:%g /a /a/b /c /d | tr '\\n' ' ')" = "7:8 7:8 5:6 0:0 "`,
  },
  {
    name: 'WORKDIR and COPY behind a link to nowhere',
    files: context,
    dockerfile: `${from}RUN ln -s /real /l && ln -s l /k\nWORKDIR /k/x\nCOPY a /l/y/\nRUN test -d /real/x && test -f /real/y/a && test -L /l`,
  },
  {
    name: 'WORKDIR onto a file',
    dockerfile: `${from}WORKDIR /etc/passwd`,
    fails: 'mkdir /etc/passwd: not a directory',
  },
  {
    name: 'a dash that is none gets a hint',
    files: context,
    dockerfile: `${from}COPY –chown=1 a /x`,
    fails: 'the dash –',
  },
  {
    name: 'COPY a directory onto a file',
    files: context,
    dockerfile: `${from}RUN touch /f\nCOPY d /f`,
    fails: 'cannot copy to non-directory',
  },
  {
    name: 'COPY keeps modes',
    files: { s: { text: '#!/bin/sh\necho ran', mode: 0o755 } },
    dockerfile: `${from}COPY s /s\nRUN test "$(/s)" = ran`,
  },
  {
    name: 'COPY --from a stage',
    dockerfile: `${from.replace('busybox', 'busybox AS x')}RUN echo hi >/f\nFROM busybox\nCOPY --from=x /f /g\nCOPY --from=0 /f /h\nRUN test "$(cat /g)" = hi && test "$(cat /h)" = hi`,
  },
  {
    name: 'COPY --from keeps owners',
    dockerfile:
      'FROM busybox AS x\nRUN mkdir /o && touch /o/f && chown 3:4 /o/f\nFROM busybox\nCOPY --from=x /o /o\nRUN test "$(stat -c %u:%g /o/f)" = 3:4',
  },
  {
    name: 'COPY --from an image',
    dockerfile: 'FROM scratch\nCOPY --from=busybox /bin /bin\nRUN ["/bin/test", "-x", "/bin/sh"]',
  },
  {
    name: 'ADD unpacks a tar',
    files: { 't.tar': { tar: { 'in/f': 'F' } } },
    dockerfile: `${from}ADD t.tar /x/\nRUN test "$(cat /x/in/f)" = F`,
  },
  {
    name: 'ADD unpacks over what is there',
    files: { 't.tar': { tar: { in: 'F' } } },
    dockerfile: `${from}RUN mkdir -p /x/in/y\nADD t.tar /x/\nRUN test "$(cat /x/in)" = F`,
  },
  {
    name: 'ADD unpacks nothing out of its directory',
    files: { 't.tar': { tar: { 'in/f': 'F' } } },
    dockerfile: `${from}RUN mkdir -p /x/real /real && ln -s /real /x/in\nADD t.tar /x/\nRUN test "$(cat /x/real/f)" = F && ! test -e /real/f`,
  },
  {
    name: 'ADD --unpack=false',
    files: { 't.tar': { tar: { f: 'F' } } },
    dockerfile: `${from}ADD --unpack=false t.tar /x/\nRUN test -f /x/t.tar`,
  },
  {
    name: 'COPY does not unpack',
    files: { 't.tar': { tar: { f: 'F' } } },
    dockerfile: `${from}COPY t.tar /x/\nRUN test -f /x/t.tar`,
  },
  { name: 'ADD of a plain file', files: context, dockerfile: `${from}ADD a /x/\nRUN test -f /x/a` },
  {
    name: '.dockerignore',
    files: { ...context, '.dockerignore': '# x\na\nd/*\n!d/x\n' },
    dockerfile: `${from}COPY . /x\nRUN ! test -e /x/a && test -f /x/b && test -f /x/d/x && ! test -e /x/d/sub`,
  },
  {
    name: 'Dockerfile.dockerignore goes first',
    files: { ...context, '.dockerignore': 'b', 'Dockerfile.dockerignore': 'a' },
    dockerfile: `${from}COPY . /x\nRUN ! test -e /x/a && test -f /x/b`,
  },
  {
    name: 'RUN with a heredoc',
    dockerfile: `${from}RUN <<E\nset -e\necho one >/f\ntest -f /f\nE\nRUN test "$(cat /f)" = one`,
  },
  {
    name: 'RUN with a script of its own',
    dockerfile: `${from}RUN <<E\n#!/bin/sh\necho "$0" >/f\nE\nRUN cat /f; grep -q E /f`,
  },
  {
    name: 'COPY heredocs',
    dockerfile: `${from}ENV v=1\nCOPY <<a <<"b" /x/\none $v\na\ntwo $v\nb\nRUN test "$(cat /x/a)" = "one 1" && test "$(cat /x/b)" = 'two $v'`,
  },
  {
    name: 'USER and WORKDIR in RUN',
    dockerfile: `${from}WORKDIR /w\nUSER 5:6\nRUN test "$(id -u):$(id -g)" = 5:6 && test "$(pwd)" = /w`,
  },
  {
    name: 'RUN has no HOSTNAME',
    dockerfile: `${from}RUN ! env | grep HOSTNAME\nENV HOSTNAME=x\nRUN test "$HOSTNAME" = x`,
  },
  { name: 'ENV and ARG in RUN', dockerfile: `${from}ENV a=1\nARG b=2\nRUN test "$a$b" = 12` },
  { name: 'SHELL in RUN', dockerfile: `${from}SHELL ["/bin/sh", "-ec"]\nRUN false; true`, fails: 'exit code: 1' },
  {
    name: 'RUN that fails',
    dockerfile: `${from}RUN echo said; exit 3`,
    fails: 'process "/bin/sh -c echo said; exit 3" did not complete successfully: exit code: 3',
  },
  { name: 'RUN of nothing', dockerfile: `${from}RUN ["/nope"]`, fails: '/nope' },
  {
    name: 'RUN --network=none',
    dockerfile: `${from}RUN --network=none test "$(ls /sys/class/net | grep -v tunl | grep -v sit)" = lo`,
  },
  {
    name: 'RUN --network=host',
    flags: ['--allow', 'network.host'],
    dockerfile: `${from}RUN --network=host test "$(ls /sys/class/net | wc -l)" -gt 1`,
  },
  {
    name: 'RUN --mount=type=tmpfs',
    dockerfile: `${from}RUN --mount=type=tmpfs,target=/t grep -q " /t tmpfs" /proc/mounts && touch /t/f\nRUN ! test -e /t`,
  },
  {
    name: 'RUN --mount=type=bind of the context',
    files: context,
    dockerfile: `${from}RUN --mount=target=/c test "$(cat /c/d/x)" = X && ! touch /c/new\nRUN ! test -e /c`,
  },
  {
    name: 'RUN --mount=type=bind of a file',
    files: context,
    dockerfile: `${from}RUN --mount=source=d/x,target=/one test "$(cat /one)" = X`,
  },
  {
    name: 'RUN --mount=type=bind,rw is forgotten',
    files: context,
    dockerfile: `${from}RUN --mount=target=/c,rw echo new >/c/a\nRUN --mount=target=/c test "$(cat /c/a)" = A`,
  },
  {
    name: 'RUN --mount=type=bind of a stage',
    dockerfile:
      'FROM busybox AS x\nRUN mkdir /o && echo 1 >/o/f\nRUN echo 2 >/o/g\nFROM busybox\nRUN --mount=from=x,source=/o,target=/in cat /in/f /in/g',
  },
  {
    name: 'RUN --mount=type=cache is kept',
    dockerfile: `${from}RUN --mount=type=cache,target=/c,id=kept-case echo 1 >/c/f\nRUN --mount=type=cache,target=/other,id=kept-case test "$(cat /other/f)" = 1\nRUN ! test -e /c`,
  },
  {
    name: 'RUN --mount=type=cache with owner and mode',
    dockerfile: `${from}RUN --mount=type=cache,target=/c,id=owned-case,uid=5,gid=6,mode=0700 test "$(stat -c %u:%g:%a /c)" = 5:6:700`,
  },
  {
    name: 'RUN --mount=type=cache from a stage',
    dockerfile:
      'FROM busybox AS x\nRUN mkdir /s && echo 1 >/s/f\nFROM busybox\nRUN --mount=type=cache,from=x,source=/s,target=/c,id=filled-case test "$(cat /c/f)" = 1',
  },
  {
    name: 'RUN --mount=type=secret',
    env: { SECRET: 'word' },
    flags: ['--secret', 'id=s,env=SECRET'],
    dockerfile: `${from}RUN --mount=type=secret,id=s test "$(cat /run/secrets/s)" = word\nRUN --mount=type=secret,id=s,target=/x,mode=0444,uid=5 test "$(stat -c %u:%a /x)" = 5:444\nRUN --mount=type=secret,id=s,env=IN test "$IN" = word\nRUN ! test -e /run/secrets/s && ! test -e /x`,
  },
  {
    name: 'RUN --mount=type=secret that is missing',
    dockerfile: `${from}RUN --mount=type=secret,id=nope ! test -e /run/secrets/nope\nRUN --mount=type=secret,id=nope,required true`,
    fails: 'secret nope: not found',
  },
  {
    name: 'ONBUILD of a stage',
    files: context,
    dockerfile: 'FROM busybox AS x\nONBUILD COPY a /on\nONBUILD RUN test -f /on\nFROM x\nRUN test -f /on',
  },
  {
    name: '--add-host',
    flags: ['--add-host', 'foo.example:10.1.2.3'],
    dockerfile: `${from}RUN grep -q "10.1.2.3.*foo.example" /etc/hosts`,
  },
  {
    name: '--build-context of an image',
    flags: ['--build-context', 'other=docker-image://busybox'],
    dockerfile: 'FROM other\nRUN true',
  },
  {
    name: '--shm-size and --ulimit',
    flags: ['--shm-size', '8m', '--ulimit', 'nofile=99'],
    dockerfile: `${from}RUN df -k /dev/shm | grep -q 8192 && test "$(ulimit -n)" = 99`,
  },
  {
    name: 'stages that nobody needs are not run',
    dockerfile: 'FROM busybox AS unused\nRUN false\nFROM busybox\nRUN true',
  },
  { name: 'smart quotes get a hint', files: context, dockerfile: `${from}COPY “a b” /x`, fails: 'typographic quote' },
  {
    name: 'RUN deletes what a layer below has',
    dockerfile: `${from}RUN mkdir /x && touch /x/a /x/b\nRUN rm /x/a\nRUN rm -r /x && mkdir /x && touch /x/c\nRUN test "$(ls /x)" = c`,
  },
];
