/** Instructions that change the config and make no layer. */
import { errorMessage } from '../../../api/errors.ts';
import { parseSignal } from '../../../wire/signals.ts';
import { parseDuration } from '../../../wire/time.ts';
import type { CommandLine, HealthcheckInstruction, Instruction } from '../instruction.ts';
import { DockerfileError, parseError } from '../source-error.ts';
import { exposedPorts } from './ports.ts';
import type { StageState } from './stage-state.ts';

type Of<K extends Instruction['kind']> = Instruction & { kind: K };

/** What `SHELL` says until somebody else does. */
const defaultShell: readonly string[] = ['/bin/sh', '-c'];

/** Go's way to print a list of strings, `["a" "b"]`, as histories have it. */
function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(' ')}]`;
}

/** The words that run: a line for the shell gets the stage's shell before it. */
export function commandWords(state: StageState, command: CommandLine): string[] {
  return command.form === 'exec' ? command.words : [...(state.config.Shell ?? defaultShell), command.text];
}

export function envStep(state: StageState, instruction: Of<'env'>): void {
  const variables = state.variables;
  const pairs = instruction.pairs.map(({ name, value }) => ({
    name: state.expand(name, instruction, variables),
    value: state.expand(value, instruction, variables),
  }));
  for (const { name, value } of pairs) {
    if (name === '') throw new DockerfileError('ENV names can not be blank', instruction.range);
    state.setVariable(name, value);
  }
  state.remember(`ENV ${pairs.map(({ name, value }) => `${name}=${value}`).join(' ')}`);
}

export function labelStep(state: StageState, instruction: Of<'label'>): void {
  const pairs = instruction.pairs.map(({ name, value }) => [
    state.expand(name, instruction),
    state.expand(value, instruction),
  ]);
  if (pairs.some(([name]) => name === '')) throw new DockerfileError('LABEL names can not be blank', instruction.range);
  state.config.Labels = { ...state.config.Labels, ...Object.fromEntries(pairs) };
  state.remember(`LABEL ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`);
}

export function commandStep(state: StageState, instruction: Of<'cmd' | 'entrypoint'>): void {
  const words = commandWords(state, instruction.command);
  // An empty list is none.
  const kept = words.length > 0 ? words : null;
  if (instruction.kind === 'cmd') {
    state.config.Cmd = kept;
    state.config.ArgsEscaped = true;
    state.hasOwnCommand = true;
    state.remember(`CMD ${quotedList(words)}`);
    return;
  }
  state.config.Entrypoint = kept;
  if (!state.hasOwnCommand) state.config.Cmd = null;
  state.remember(`ENTRYPOINT ${quotedList(words)}`);
}

export function exposeStep(state: StageState, instruction: Of<'expose'>): void {
  const words = instruction.words.flatMap((word) => state.expandWords(word, instruction));
  const ports = guarded(instruction, () => words.flatMap(exposedPorts));
  state.config.ExposedPorts = { ...state.config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) };
  state.remember(`EXPOSE [${[...new Set(ports)].sort().join(' ')}]`);
}

export function volumeStep(state: StageState, instruction: Of<'volume'>): void {
  const paths = instruction.words.map((word) => state.expand(word, instruction));
  if (paths.some((path) => path === ''))
    throw new DockerfileError('VOLUME specified can not be an empty string', instruction.range);
  state.config.Volumes = { ...state.config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
  state.remember(`VOLUME [${paths.join(' ')}]`);
}

export function userStep(state: StageState, instruction: Of<'user'>): void {
  state.config.User = state.expand(instruction.value, instruction);
  state.remember(`USER ${state.config.User}`);
}

export function stopSignalStep(state: StageState, instruction: Of<'stopsignal'>): void {
  const signal = state.expand(instruction.value, instruction);
  // Any number but 0 is somebody's signal.
  if (!/^[-+]?0*[1-9]\d*$/.test(signal)) guarded(instruction, () => parseSignal(signal));
  state.config.StopSignal = signal;
  state.remember(`STOPSIGNAL ${signal}`);
}

export function shellStep(state: StageState, instruction: Of<'shell'>): void {
  state.config.Shell = instruction.words;
  state.remember(`SHELL [${instruction.words.join(' ')}]`);
}

export function maintainerStep(state: StageState, instruction: Of<'maintainer'>): void {
  state.author = instruction.value;
  state.remember(`MAINTAINER ${instruction.value}`);
}

export function onbuildStep(state: StageState, instruction: Of<'onbuild'>): void {
  state.config.OnBuild = [...(state.config.OnBuild ?? []), instruction.trigger];
}

interface Healthcheck {
  Test: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

export function healthcheckStep(state: StageState, instruction: HealthcheckInstruction): void {
  const check: Healthcheck = { Test: healthTest(instruction.command) };
  const interval = (flag: string): number => {
    try {
      return duration(instruction, flag);
    } catch (error) {
      throw parseError(errorMessage(error), instruction.range);
    }
  };
  const parts = {
    Interval: interval('interval'),
    Timeout: interval('timeout'),
    StartPeriod: interval('start-period'),
    StartInterval: interval('start-interval'),
    Retries: retries(instruction),
  };
  for (const [key, value] of Object.entries(parts)) if (value !== 0) check[key as keyof typeof parts] = value;
  state.config.Healthcheck = check;
  const times = [parts.Interval, parts.Timeout, parts.StartPeriod, parts.StartInterval];
  const shown = times.map((value) => JSON.stringify(goDuration(value))).join(' ');
  state.remember(`HEALTHCHECK &{${quotedList(check.Test)} ${shown} ${goRune(parts.Retries)}}`);
}

function healthTest(command: CommandLine | null): string[] {
  if (command === null) return ['NONE'];
  return command.form === 'exec' ? ['CMD', ...command.words] : ['CMD-SHELL', command.text];
}

function duration(instruction: HealthcheckInstruction, flag: string): number {
  const text = instruction.flags.get(flag)?.[0];
  if (text === undefined || text === '') return 0;
  const nanoseconds = parseDuration(text);
  if (nanoseconds < 0n || (nanoseconds !== 0n && nanoseconds < 1_000_000n))
    throw new Error(`Interval ${JSON.stringify(flag)} cannot be less than 1ms`);
  return Number(nanoseconds);
}

function retries(instruction: HealthcheckInstruction): number {
  const text = instruction.flags.get('retries')?.[0];
  if (text === undefined || text === '') return 0;
  if (!/^-?\d+$/.test(text))
    throw parseError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`, instruction.range);
  if (Number(text) < 0) throw parseError(`--retries cannot be negative (${text})`, instruction.range);
  return Number(text);
}

/** Go's `time.Duration.String()`: `1m30s`, `500ms`, `0s`. */
function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  if (nanoseconds < 1e9) return `${nanoseconds / 1e6}ms`;
  const seconds = nanoseconds / 1e9;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

/** A number as Go's `%q` prints it. */
function goRune(value: number): string {
  const known: Record<number, string> = {
    7: '\\a',
    8: '\\b',
    9: '\\t',
    10: '\\n',
    11: '\\v',
    12: '\\f',
    13: '\\r',
    39: "\\'",
    92: '\\\\',
  };
  if (known[value]) return `'${known[value]}'`;
  if (value < 32 || value === 127) return `'\\x${value.toString(16).padStart(2, '0')}'`;
  return `'${String.fromCodePoint(Math.min(value, 0x10ffff))}'`;
}

function guarded<T>(instruction: Instruction, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new DockerfileError((error as Error).message, instruction.range, { cause: error });
  }
}
