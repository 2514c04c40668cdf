/** A Dockerfile's text → typed instructions (https://docs.docker.com/reference/dockerfile/, BuildKit's behaviour). */
import { readFlags, takeFlags } from './flags.ts';
import { type Heredoc, parseHeredocWord } from './heredoc.ts';
import type { CommandLine, Instruction } from './instruction.ts';
import { type Directives, type LogicalLine, splitLines } from './lines.ts';
import { Linter } from './lint/linter.ts';
import { lintInstruction } from './lint/text-rules.ts';
import { DockerfileError, parseError, type SourceRange } from './source-error.ts';
import { suggestion } from './suggestion.ts';
import { valuePairs } from './value-pairs.ts';

export interface ParsedDockerfile {
  directives: Directives;
  instructions: Instruction[];
}

/** Error: `DockerfileError` with the line. @param linter hears of what is right, but not good */
export function parseDockerfile(text: string, linter = new Linter()): ParsedDockerfile {
  const { directives, lines } = splitLines(text);
  if (text.trim() === '') throw new DockerfileError('the Dockerfile cannot be empty', { first: 1, last: 1 });
  if (lines.length === 0) throw new DockerfileError('file with no instructions', { first: 1, last: 1 });
  for (const { emptyContinuation: at } of lines)
    if (at !== null) linter.warn('NoEmptyContinuation', { first: at, last: at });
  const instructions = lines.map((line) => {
    const instruction = parseInstruction(line, directives.escapeSign);
    lintInstruction(linter, instruction);
    return instruction;
  });
  return { directives, instructions };
}

interface Line extends LogicalLine {
  /** As written. */
  word: string;
  name: string;
  /** Behind name and flags. */
  rest: string;
  flags: string[];
  escapeSign: string;
}

const parsers: Readonly<Record<string, (line: Line) => Instruction>> = {
  ADD: (line) => copyInstruction('add', line),
  ARG: argInstruction,
  CMD: (line) => {
    noFlags(line);
    return { kind: 'cmd', command: commandLine(line), ...common(line) };
  },
  COPY: (line) => copyInstruction('copy', line),
  ENTRYPOINT: (line) => {
    noFlags(line);
    return { kind: 'entrypoint', command: commandLine(line), ...common(line) };
  },
  ENV: (line) => pairsInstruction('env', line),
  EXPOSE: (line) => {
    noFlags(line);
    return { kind: 'expose', words: atLeastOne(line, blankWords(line.rest)), ...common(line) };
  },
  FROM: fromInstruction,
  HEALTHCHECK: healthcheckInstruction,
  LABEL: (line) => pairsInstruction('label', line),
  MAINTAINER: (line) => valueInstruction('maintainer', line),
  ONBUILD: onbuildInstruction,
  RUN: runInstruction,
  SHELL: shellInstruction,
  STOPSIGNAL: (line) => valueInstruction('stopsignal', line),
  USER: (line) => valueInstruction('user', line),
  VOLUME: volumeInstruction,
  WORKDIR: (line) => valueInstruction('workdir', line),
};

/** One logical line. Error: `DockerfileError`. */
function parseInstruction(line: LogicalLine, escapeSign: string): Instruction {
  const [word = ''] = line.text.split(/\s/, 1);
  const name = word.toUpperCase();
  const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (!parser) {
    const at = { ...line.range, column: 0 };
    throw parseError(`unknown instruction: ${word}${suggestion(name, Object.keys(parsers))}`, at, quoteHint(line.text));
  }
  const { flags, rest } = takeFlags(line.text.slice(word.length).trim());
  return parser({ ...line, word, name, flags, rest, escapeSign });
}

/** A sentence about quotes and dashes that only look like them, as tutorials have them; undefined where there are none. */
export function quoteHint(text: string): string | undefined {
  const dash = /(?<=\s)[\u2013\u2014](?=\w)/.exec(text);
  if (dash)
    return `The line has the dash ${dash[0]} (at character ${dash.index + 1}), which begins no option: write - or --.`;
  const match = /[\u2018\u2019\u201C\u201D\u201E\u201A]/.exec(text);
  if (!match) return undefined;
  return `The line has the typographic quote ${match[0]} (at character ${match.index + 1}), which is no quote to a shell or a Dockerfile: write ' or ".`;
}

function common(line: Line): Pick<Instruction, 'range' | 'text' | 'word' | 'comments'> {
  return { range: line.range, text: line.text, word: line.word, comments: line.comments };
}

function noFlags(line: Line): void {
  readFlags(line.flags, {}, line.range);
}

function blankWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function atLeastOne<T>(line: Line, items: T[]): T[] {
  if (items.length === 0) throw parseError(`${line.name} requires at least one argument`, line.range);
  return items;
}

/** A JSON list of strings, or null: then the text is for a shell. Error: a list of something else. */
function jsonWords(line: Line, text: string): string[] | null {
  if (!text.startsWith('[')) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // as BuildKit: what is no JSON is a line for the shell
  }
  if (!Array.isArray(value)) return null;
  if (!value.every((item) => typeof item === 'string'))
    throw new DockerfileError('when using JSON array syntax, arrays must be comprised of strings only', line.range);
  return value;
}

function commandLine(line: Line, text = line.rest): CommandLine {
  const words = jsonWords(line, text);
  return words ? { form: 'exec', words } : { form: 'shell', text };
}

function valueInstruction(kind: 'workdir' | 'user' | 'stopsignal' | 'maintainer', line: Line): Instruction {
  noFlags(line);
  if (line.rest === '') throw parseError(`${line.name} requires exactly one argument`, line.range);
  return { kind, value: line.rest, ...common(line) };
}

function argInstruction(line: Line): Instruction {
  noFlags(line);
  const words = atLeastOne(line, valuePairs.words(line.rest, line.escapeSign));
  const pairs = words.map((word) => {
    const separator = word.indexOf('=');
    if (separator === 0) throw parseError('ARG names can not be blank', line.range);
    return separator < 0
      ? { name: word, value: null }
      : { name: word.slice(0, separator), value: word.slice(separator + 1) };
  });
  return { kind: 'arg', pairs, ...common(line) };
}

function pairsInstruction(kind: 'env' | 'label', line: Line): Instruction {
  noFlags(line);
  const pairs = atLeastOne(line, valuePairs.read(line.name, line.rest, line));
  return { kind, pairs, ...common(line) };
}

const stageName = /^[a-z][a-z0-9._-]*$/;

function fromInstruction(line: Line): Instruction {
  const flags = readFlags(line.flags, { platform: 'text' }, line.range);
  const words = blankWords(line.rest);
  const named = words.length === 3 && (words[1] as string).toUpperCase() === 'AS';
  if (words.length !== 1 && !named) throw parseError('FROM requires either one or three arguments', line.range);
  const name = (words[2] ?? '').toLowerCase();
  if (named && !stageName.test(name))
    throw parseError(
      `invalid name for build stage: ${JSON.stringify(words[2])}, name can't start with a number or contain symbols`,
      line.range,
    );
  return {
    kind: 'from',
    base: words[0] as string,
    name,
    platform: flags.get('platform')?.[0] ?? '',
    written: named ? { as: words[1] as string, name: words[2] as string } : null,
    ...common(line),
  };
}

const copyFlags = {
  from: 'text',
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  parents: 'boolean',
  exclude: 'list',
} as const;
const addFlags = {
  chown: 'text',
  chmod: 'text',
  link: 'boolean',
  checksum: 'text',
  'keep-git-dir': 'boolean',
  unpack: 'boolean',
  exclude: 'list',
} as const;

function copyInstruction(kind: 'copy' | 'add', line: Line): Instruction {
  const flags = readFlags(line.flags, kind === 'copy' ? copyFlags : addFlags, line.range);
  const words = atLeastOne(line, jsonWords(line, line.rest) ?? blankWords(line.rest));
  if (words.length < 2)
    throw parseError(
      `${line.name} requires at least two arguments, but only one was provided. Destination could not be determined`,
      line.range,
      quoteHint(line.text),
    );
  const destination = words.at(-1) as string;
  if (parseHeredocWord(destination))
    throw parseError(`${line.name} cannot accept a heredoc as a destination`, line.range);
  const byName = new Map(line.heredocs.map((heredoc) => [heredoc.name, heredoc]));
  const sources: string[] = [];
  const heredocs: Heredoc[] = [];
  for (const word of words.slice(0, -1)) {
    const heredoc = parseHeredocWord(word);
    const found = heredoc ? byName.get(heredoc.name) : undefined;
    if (found) heredocs.push(found);
    else sources.push(word);
  }
  return { kind, flags, sources, destination, heredocs, ...common(line) };
}

const runFlags = { mount: 'list', network: 'text', security: 'text', device: 'list' } as const;

function runInstruction(line: Line): Instruction {
  const flags = readFlags(line.flags, runFlags, line.range);
  if ((flags.get('mount') ?? []).some((mount) => /(?:^|,)\s*from=[^,]*\$[^,]/i.test(mount)))
    throw parseError("'from' doesn't support variable expansion, define alias stage instead", line.range);
  const command = commandLine(line);
  // A shell with nothing to do is one, as with BuildKit.
  if (command.form === 'exec' && command.words.length === 0)
    throw parseError('RUN requires at least one argument', line.range);
  return { kind: 'run', flags, command, heredocs: command.form === 'shell' ? line.heredocs : [], ...common(line) };
}

const healthFlags = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
} as const;

function healthcheckInstruction(line: Line): Instruction {
  const flags = readFlags(line.flags, healthFlags, line.range);
  const [type = ''] = line.rest.split(/\s/, 1);
  if (type === '') throw parseError('HEALTHCHECK requires at least one argument', line.range);
  const rest = line.rest.slice(type.length).trim();
  if (type.toUpperCase() === 'NONE') {
    if (rest !== '') throw parseError('HEALTHCHECK NONE takes no arguments', line.range);
    return { kind: 'healthcheck', flags, command: null, ...common(line) };
  }
  if (type.toUpperCase() !== 'CMD')
    throw parseError(`Unknown type ${JSON.stringify(type.toUpperCase())} in HEALTHCHECK (try CMD)`, line.range);
  const command = commandLine(line, rest);
  if (command.form === 'exec' ? command.words.length === 0 : command.text === '')
    throw parseError('Missing command after HEALTHCHECK CMD', line.range);
  return { kind: 'healthcheck', flags, command, ...common(line) };
}

function shellInstruction(line: Line): Instruction {
  noFlags(line);
  const words = jsonWords(line, line.rest);
  if (!words) throw parseError('SHELL requires the arguments to be in JSON form', line.range, quoteHint(line.text));
  return { kind: 'shell', words: atLeastOne(line, words), ...common(line) };
}

function volumeInstruction(line: Line): Instruction {
  noFlags(line);
  const words = atLeastOne(line, jsonWords(line, line.rest) ?? blankWords(line.rest));
  if (words.some((word) => word.trim() === ''))
    throw parseError('VOLUME specified can not be an empty string', line.range);
  return { kind: 'volume', words, ...common(line) };
}

function onbuildInstruction(line: Line): Instruction {
  noFlags(line);
  // The flags of the trigger are the trigger's own.
  const trigger = line.text.slice('ONBUILD'.length).trim();
  const [name = ''] = trigger.split(/\s/, 1);
  const instruction = name.toUpperCase();
  if (name === '') throw parseError('ONBUILD requires at least one argument', line.range);
  if (instruction === 'ONBUILD') throw parseError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", line.range);
  if (instruction === 'MAINTAINER' || instruction === 'FROM')
    throw parseError(`${instruction} isn't allowed as an ONBUILD trigger`, line.range);
  const bodies = line.heredocs.map((heredoc) => `\n${heredoc.content}${heredoc.name}`).join('');
  // Whether it can be read is asked by the build that begins with this image.
  return { kind: 'onbuild', trigger: trigger + bodies, instruction: instruction.toLowerCase(), ...common(line) };
}

/** The words of an ONBUILD trigger that an image carries. Error: `DockerfileError` at the FROM line. */
export function parseTrigger(trigger: string, range: SourceRange): Instruction {
  const { lines } = splitLines(trigger);
  if (lines.length !== 1) throw new DockerfileError(`onbuild trigger should be a single expression`, range);
  const line = lines[0] as LogicalLine;
  if (/^(?:ONBUILD|FROM|MAINTAINER)\b/i.test(line.text))
    throw new DockerfileError(`${line.text.split(/\s/, 1)[0]} isn't allowed as an ONBUILD trigger`, range);
  return { ...parseInstruction({ ...line, range }, '\\'), range };
}
