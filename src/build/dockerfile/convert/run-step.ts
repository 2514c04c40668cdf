import { posix } from 'node:path';
import { platformRank } from '../../../oci/platform.ts';
import type { ExecDefinition, StepMount } from '../../graph/operations.ts';
import { makeVertex, type Vertex } from '../../graph/vertex.ts';
import { parseHeredocWord } from '../heredoc.ts';
import type { RunInstruction } from '../instruction.ts';
import { DockerfileError, parseError } from '../source-error.ts';
import { proxyEnvironment, proxyNames } from './build-arguments.ts';
import { commandWords } from './config-steps.ts';
import { inlineFiles, type SourceFinder, stepFlags } from './copy-step.ts';
import { type MountFlag, parseMount } from './mount-flag.ts';
import type { StageState } from './stage-state.ts';

/** Where a script of a here-document is seen. */
const scriptDirectory = '/dev/pipes/';

/** RUN: one command in the tree so far. */
export async function runStep(state: StageState, instruction: RunInstruction, sources: SourceFinder): Promise<void> {
  const inputs: Vertex[] = [state.tree];
  const mounts: StepMount[] = [];
  for (const flag of instruction.flags.get('mount') ?? []) {
    const mount = readMount(state, instruction, flag);
    mounts.push(await stepMount({ state, instruction, sources, inputs }, mount, mounts));
  }
  const { args, shown, script } = commandOf(state, instruction);
  if (script) {
    inputs.push(inlineFiles(state.sideLabel('[internal] preparing inline document', instruction), [script], 0o755));
    mounts.push({ type: 'bind', target: scriptDirectory, input: inputs.length - 1, source: '/', writable: false });
  }
  const given = argumentsOf(state);
  const network = instruction.flags.get('network')?.[0] ?? 'default';
  if (!['default', 'none', 'host'].includes(network))
    throw parseError(`invalid network mode ${JSON.stringify(network)}`, instruction.range);
  if (network === 'host' && !state.options.allowHostNetwork)
    throw new DockerfileError('failed to load LLB: network.host is not allowed', instruction.range, {
      hint: 'Allow it with `--allow network.host` or `--network host`.',
    });
  const definition: ExecDefinition = {
    args,
    env: [
      ...(state.config.Env ?? []).filter((entry) => state.variable(entry.split('=', 1)[0] as string) !== undefined),
      ...given
        .filter(({ name, isSet }) => isSet && state.variable(name) === undefined && !proxyNames.includes(name))
        .map(({ name, value }) => `${name}=${value}`),
    ],
    directory: state.directory,
    user: state.config.User ?? '',
    network: network === 'default' ? state.options.network : network,
    security: securityOf(state, instruction),
    mounts,
    extraHosts: state.options.extraHosts,
    limits: state.options.limits,
    epoch: state.options.epoch,
  };
  const names = new Set(definition.env.map((entry) => entry.split('=', 1)[0]));
  const aside = {
    env: proxyEnvironment(state.options.arguments).filter((entry) => !names.has(entry.split('=', 1)[0] as string)),
    ...(platformRank(state.platform, state.options.buildPlatform) === null && { platform: state.platform }),
  };
  const vertex = makeVertex({
    kind: 'exec',
    definition: { ...definition },
    inputs,
    aside,
    label: state.nextLabel(`RUN ${stepFlags(instruction.flags)}${shown}`, instruction),
    fresh: state.isFresh,
  });
  const counted =
    given.length > 0 ? `|${given.length} ${given.map(({ name, value }) => `${name}=${value}`).join(' ')} ` : '';
  state.advance(vertex, `RUN ${counted}${args.join(' ')} # buildkit`);
}

/** What ARG has declared, with the values that the history shows; the command sees those that are set. */
function argumentsOf(state: StageState): { name: string; value: string; isSet: boolean }[] {
  return [...state.arguments].map(([name, value]) => ({
    name,
    value: state.variable(name) ?? value ?? '',
    isSet: value !== undefined,
  }));
}

function securityOf(state: StageState, instruction: RunInstruction): 'sandbox' | 'insecure' {
  const security = instruction.flags.get('security')?.[0] ?? 'sandbox';
  if (security !== 'sandbox' && security !== 'insecure')
    throw new DockerfileError(`security ${JSON.stringify(security)} is not valid`, instruction.range);
  if (security === 'insecure' && !state.options.allowInsecure)
    throw new DockerfileError(
      'granting entitlement security.insecure is not allowed by build daemon configuration',
      instruction.range,
      {
        hint: 'Allow it with `--allow security.insecure`.',
      },
    );
  return security;
}

interface Script {
  name: string;
  content: string;
}

/** The words that run, and how the step is called. A here-document alone is the script itself. */
function commandOf(
  state: StageState,
  instruction: RunInstruction,
): { args: string[]; shown: string; script: Script | null } {
  const { command, heredocs } = instruction;
  const [first] = heredocs;
  if (command.form === 'exec') return { args: command.words, shown: JSON.stringify(command.words), script: null };
  if (!first) return { args: commandWords(state, command), shown: command.text, script: null };
  if (!parseHeredocWord(command.text)) {
    const text = [command.text, ...heredocs.map(({ name, content }) => `${content}${name}`)].join('\n');
    return { args: commandWords(state, { form: 'shell', text }), shown: command.text, script: null };
  }
  const [line = ''] = first.content.split('\n').filter((row) => row.trim() !== '');
  const shown = `${command.text} (${line}${first.content.trim() === line.trim() ? '' : '...'})`;
  if (!first.content.startsWith('#!'))
    return { args: commandWords(state, { form: 'shell', text: first.content }), shown, script: null };
  const text = posix.join(scriptDirectory, first.name);
  return {
    args: commandWords(state, { form: 'shell', text }),
    shown,
    script: { name: first.name, content: first.content },
  };
}

function readMount(state: StageState, instruction: RunInstruction, flag: string): MountFlag {
  const text = state.expand(flag, instruction);
  try {
    return parseMount(text);
  } catch (error) {
    throw new DockerfileError((error as Error).message, instruction.range, { cause: error });
  }
}

interface MountWork {
  state: StageState;
  instruction: RunInstruction;
  sources: SourceFinder;
  inputs: Vertex[];
}

async function stepMount(work: MountWork, mount: MountFlag, before: readonly StepMount[]): Promise<StepMount> {
  const { state, instruction, sources, inputs } = work;
  const target = mount.target === '' ? '' : posix.normalize(posix.resolve(state.directory, mount.target));
  const input = async (from: string): Promise<number> => {
    inputs.push(await sources.find(from, state, instruction));
    return inputs.length - 1;
  };
  const source = posix.normalize(`/${mount.source}`);
  const owner = { uid: mount.uid ?? 0, gid: mount.gid ?? 0 };
  switch (mount.type) {
    case 'bind':
      return { type: 'bind', target, input: await input(mount.from), source, writable: !mount.readonly };
    case 'cache':
      return {
        type: 'cache',
        target,
        id: mount.id || target,
        input: mount.from === '' ? null : await input(mount.from),
        source,
        sharing: mount.sharing,
        readonly: mount.readonly,
        ...owner,
        mode: mount.mode ?? 0o755,
      };
    case 'tmpfs':
      return { type: 'tmpfs', target, size: mount.size };
    case 'secret': {
      const id = mount.id || (mount.source === '' ? posix.basename(mount.target) || mount.env : mount.source);
      const place = target || (mount.env === '' ? `/run/secrets/${posix.basename(id)}` : '');
      return {
        type: 'secret',
        id,
        target: place,
        required: mount.required,
        ...owner,
        mode: mount.mode ?? 0o400,
        env: mount.env,
      };
    }
    case 'ssh': {
      const count = before.filter(({ type }) => type === 'ssh').length;
      return {
        type: 'ssh',
        id: mount.id || 'default',
        target: target || `/run/buildkit/ssh_agent.${count}`,
        required: mount.required,
        ...owner,
        mode: mount.mode ?? 0o600,
      };
    }
  }
}
