/**
 * Changes to an image config as Dockerfile instructions (`docker import --change`, `docker commit --change`):
 * https://docs.docker.com/reference/dockerfile/ for each, restricted to the ones that touch nothing but the config.
 */
import { BerthError } from '../../api/errors.ts';
import type { ContainerDefaults } from '../../oci/image-config.ts';
import { formatDuration, parseDuration } from '../../wire/time.ts';

const instructions: Record<string, (config: ContainerDefaults, rest: string) => void> = {
  CMD: (config, rest) => {
    config.Cmd = command(rest);
  },
  ENTRYPOINT: (config, rest) => {
    config.Entrypoint = command(rest);
  },
  ENV: (config, rest) => {
    const env = new Map((config.Env ?? []).map((entry) => [entry.split('=', 1)[0] as string, entry]));
    for (const [key, value] of pairs('ENV', rest)) env.set(key, `${key}=${value}`);
    config.Env = [...env.values()];
  },
  EXPOSE: (config, rest) => {
    const ports: Record<string, object> = { ...config.ExposedPorts };
    for (const word of words(rest)) for (const port of exposed(word)) ports[port] = {};
    config.ExposedPorts = ports;
  },
  HEALTHCHECK: (config, rest) => {
    config.Healthcheck = healthcheck(rest);
  },
  LABEL: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs('LABEL', rest)) };
  },
  ONBUILD: (config, rest) => {
    const [name = ''] = rest.split(/\s/, 1);
    if (name.toUpperCase() === 'ONBUILD')
      throw new BerthError('invalid', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (/^(?:MAINTAINER|FROM)$/i.test(name))
      throw new BerthError('invalid', `${name.toUpperCase()} isn't allowed as an ONBUILD trigger`);
    config.OnBuild = [...(config.OnBuild ?? []), rest];
  },
  STOPSIGNAL: (config, rest) => {
    if (!/^(?:\d+|(?:SIG)?[A-Z][A-Z0-9+-]*)$/i.test(rest)) throw new BerthError('invalid', `invalid signal: ${rest}`);
    config.StopSignal = rest;
  },
  USER: (config, rest) => {
    config.User = rest;
  },
  VOLUME: (config, rest) => {
    const volumes: Record<string, object> = { ...config.Volumes };
    for (const path of jsonWords(rest) ?? words(rest)) {
      if (path.trim() === '') throw new BerthError('invalid', 'VOLUME specified can not be an empty string');
      volumes[path] = {};
    }
    config.Volumes = volumes;
  },
  WORKDIR: (config, rest) => {
    const base = config.WorkingDir ?? '/';
    config.WorkingDir = rest.startsWith('/') ? rest : `${base.replace(/\/$/, '')}/${rest}`;
  },
};

/** `config` with the changes. Error: `invalid` in dockerd's words. */
export function applyChanges(config: ContainerDefaults, changes: readonly string[]): ContainerDefaults {
  const changed: ContainerDefaults = { ...config };
  for (const line of changes.flatMap((change) => change.split('\n'))) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const [word = ''] = text.split(/\s/, 1);
    const name = word.toUpperCase();
    const apply = instructions[name];
    if (!apply) throw new BerthError('invalid', `${name} is not a valid change command`);
    const rest = text.slice(word.length).trim();
    if (rest === '' && name !== 'CMD' && name !== 'ENTRYPOINT')
      throw new BerthError('invalid', `${name} requires ${argumentCount(name)}`);
    apply(changed, rest);
  }
  return changed;
}

function argumentCount(name: string): string {
  return /^(?:USER|WORKDIR|STOPSIGNAL)$/.test(name) ? 'exactly one argument' : 'at least one argument';
}

/** A JSON list as it is, anything else through a shell. */
function command(rest: string): string[] {
  return jsonWords(rest) ?? (rest === '' ? [] : ['/bin/sh', '-c', rest]);
}

function jsonWords(rest: string): string[] | null {
  if (!rest.startsWith('[')) return null;
  try {
    const value: unknown = JSON.parse(rest);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : null;
  } catch {
    return null; // then it is a line for the shell, as in a Dockerfile
  }
}

/** Words with quotes and backslashes taken away. */
function words(rest: string): string[] {
  const found = rest.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/gs) ?? [];
  return found.map(unquote);
}

function unquote(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs,
    (_, single?: string, double?: string, escaped?: string) => {
      if (single !== undefined) return single;
      if (double !== undefined) return double.replace(/\\(["\\$])/g, '$1');
      return escaped ?? '';
    },
  );
}

/** `key=value …`, or the old `key value`. */
function pairs(name: string, rest: string): [string, string][] {
  const found = rest.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'])+/gs) ?? [];
  const first = found[0] ?? '';
  if (!first.includes('=')) {
    if (found.length < 2) throw new BerthError('invalid', `${name} must have two arguments`);
    return [[unquote(first), rest.slice(first.length).trim()]];
  }
  return found.map((word) => {
    const separator = word.indexOf('=');
    if (separator < 0)
      throw new BerthError(
        'invalid',
        `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    if (separator === 0) throw new BerthError('invalid', `${name} names can not be blank`);
    return [unquote(word.slice(0, separator)), unquote(word.slice(separator + 1))];
  });
}

/** `80`, `80/udp`, `8000-8002/tcp` → each port with its protocol. */
function exposed(word: string): string[] {
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? first);
  if (!match || first > 65_535 || last > 65_535 || last < first)
    throw new BerthError('invalid', `invalid containerPort: ${word}`);
  const protocol = (match[3] ?? 'tcp').toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

const healthFlags: Record<string, string> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
  retries: 'Retries',
};

function healthcheck(rest: string): object {
  const check: Record<string, unknown> = {};
  let text = rest;
  for (let flag = /^--([a-z-]+)=(\S+)\s*/.exec(text); flag; flag = /^--([a-z-]+)=(\S+)\s*/.exec(text)) {
    const [whole, name = '', value = ''] = flag;
    const key = healthFlags[name];
    if (!key) throw new BerthError('invalid', `unknown flag: --${name}`);
    check[key] = name === 'retries' ? retries(value) : interval(name, value);
    text = text.slice(whole.length);
  }
  const [type = ''] = text.split(/\s/, 1);
  const argument = text.slice(type.length).trim();
  if (type.toUpperCase() === 'NONE') {
    if (argument !== '') throw new BerthError('invalid', 'HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (type.toUpperCase() !== 'CMD')
    throw new BerthError('invalid', `unknown type "${type.toUpperCase()}" in HEALTHCHECK (try CMD)`);
  const list = jsonWords(argument);
  if (argument === '' || list?.length === 0) throw new BerthError('invalid', 'missing command after HEALTHCHECK CMD');
  return { Test: list ? ['CMD', ...list] : ['CMD-SHELL', argument], ...check };
}

function retries(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 0) throw new BerthError('invalid', `--retries cannot be negative (${value})`);
  return count;
}

function interval(name: string, value: string): number {
  const nanoseconds = parseDuration(value);
  if (nanoseconds !== 0n && nanoseconds < 1_000_000n)
    throw new BerthError('invalid', `interval "${name}" cannot be less than ${formatDuration(1_000_000n)}`);
  return Number(nanoseconds);
}
