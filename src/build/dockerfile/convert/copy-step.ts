import { posix } from 'node:path';
import { type CopyAction, type CopyDefinition, sourceVertex } from '../../graph/operations.ts';
import { makeVertex, type Vertex, type VertexLabel } from '../../graph/vertex.ts';
import type { CopyInstruction, Instruction } from '../instruction.ts';
import { DockerfileError } from '../source-error.ts';
import type { StageState } from './stage-state.ts';

/** Finds what `--from` names: a stage, an image, a context. An empty name is the build's own context. */
export interface SourceFinder {
  find(from: string, state: StageState, instruction: Instruction): Promise<Vertex>;
}

/** A tree with nothing but these files. */
export function inlineFiles(
  label: VertexLabel,
  files: readonly { name: string; content: string }[],
  mode: number,
): Vertex {
  const definition: CopyDefinition = {
    actions: files.map(({ name, content }) => ({
      from: { kind: 'inline', name, content },
      sources: [],
      destination: `/${name}`,
      chown: '',
      chmod: '',
      fileMode: mode.toString(8),
      excludes: [],
      parents: false,
      unpack: 'never',
    })),
    link: true,
    epoch: null,
  };
  return makeVertex({ kind: 'copy', definition: { ...definition }, inputs: [], label });
}

const isRemote = /^https?:\/\//;
const gitAddress = /^(?:git@[^:]+:|git:\/\/|ssh:\/\/|https?:\/\/[^#?]+\.git(?:#|\?|$)|github\.com\/)/;

/** COPY and ADD. */
export async function copyStep(state: StageState, instruction: CopyInstruction, finder: SourceFinder): Promise<void> {
  const flag = (name: string): string => state.expand(instruction.flags.get(name)?.[0] ?? '', instruction);
  const isOn = (name: string): boolean => flag(name) === 'true';
  const chown = flag('chown');
  const chmod = flag('chmod');
  if (
    chmod !== '' &&
    !/^0?[0-7]{1,4}$/.test(chmod) &&
    !/^[ugoa]*(?:[-+=][rwxXstugo]*)+(?:,[ugoa]*(?:[-+=][rwxXstugo]*)+)*$/.test(chmod)
  )
    throw new DockerfileError(
      `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
      instruction.range,
    );
  // Not expanded, as with BuildKit.
  const excludes = instruction.flags.get('exclude') ?? [];
  const sources = instruction.sources.map((source) => state.expand(source, instruction));
  const written = state.expand(instruction.destination, instruction);
  const destination = state.absolute(written);
  const common = { destination, chown, chmod, fileMode: '', excludes, parents: isOn('parents') };
  // Names are those of the stage: who asks for one looks at what lies below.
  const link = isOn('link') && /^[\d:]*$/.test(chown);
  const inputs: Vertex[] = link ? [] : [state.tree];
  const actions: CopyAction[] = [];
  const local = sources.filter(
    (source) => instruction.kind === 'copy' || !(isRemote.test(source) || gitAddress.test(source)),
  );
  if (local.length > 0) {
    inputs.push(await finder.find(fromOf(instruction), state, instruction));
    const from = { kind: 'input', input: inputs.length - 1 } as const;
    const unpack =
      instruction.kind === 'copy' || flag('unpack') === 'false' ? 'never' : isOn('unpack') ? 'always' : 'local';
    if (instruction.kind === 'add' && flag('checksum') !== '')
      throw new DockerfileError('checksum requires HTTP(S) or Git sources', instruction.range);
    actions.push({ ...common, from, sources: local.map((source) => contextPath(source, isOn('parents'))), unpack });
  }
  for (const address of sources.filter((source) => !local.includes(source))) {
    inputs.push(remoteSource(state, instruction, address));
    const isGit = gitAddress.test(address);
    actions.push({
      ...common,
      from: { kind: 'input', input: inputs.length - 1 },
      sources: [isGit ? '/' : `/${escapePattern(fileName(address, instruction))}`],
      fileMode: isGit ? '' : '600',
      unpack: isOn('unpack') ? 'always' : 'never',
    });
  }
  for (const heredoc of instruction.heredocs) {
    const content = heredoc.expand ? expandDocument(state, instruction, heredoc.content) : heredoc.content;
    actions.push({
      ...common,
      from: { kind: 'inline', name: heredoc.name, content },
      sources: [],
      fileMode: '644',
      unpack: 'never',
    });
  }
  const definition: CopyDefinition = { actions, link, epoch: state.options.epoch };
  const text = `${instruction.kind === 'copy' ? 'COPY' : 'ADD'} ${stepFlags(instruction.flags)}${shownWords(state, instruction).join(' ')} ${written}`;
  const layer = makeVertex({
    kind: 'copy',
    definition: { ...definition },
    inputs,
    label: state.nextLabel(text, instruction),
    fresh: state.isFresh,
  });
  const vertex = link
    ? makeVertex({
        kind: 'merge',
        definition: {},
        inputs: [state.tree, layer],
        label: state.sideLabel(`merging ${text}`, instruction),
      })
    : layer;
  state.advance(vertex, historyText(state, instruction, { chown, chmod, written }), layer);
}

/** A stage or context; ADD knows none but the build's own. */
function fromOf(instruction: CopyInstruction): string {
  const from = instruction.flags.get('from')?.[0] ?? '';
  if (from.includes('$'))
    throw new DockerfileError(
      'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
      instruction.range,
    );
  return from;
}

/** Nothing leads out of the context: `..` at its top is the top. @param keepsPivot `/./` stays: with --parents it says what is made */
function contextPath(source: string, keepsPivot: boolean): string {
  const pivot = keepsPivot ? source.indexOf('/./') : -1;
  if (pivot >= 0)
    return `${contextPath(source.slice(0, pivot), false)}/.${contextPath(source.slice(pivot + 2), false)}`;
  const clean = posix.normalize(`/${source}`);
  return source.endsWith('/') && clean !== '/' && !clean.endsWith('/') ? `${clean}/` : clean;
}

function remoteSource(state: StageState, instruction: CopyInstruction, url: string): Vertex {
  const checksum = state.expand(instruction.flags.get('checksum')?.[0] ?? '', instruction);
  const label = state.sideLabel(url, instruction);
  if (gitAddress.test(url)) {
    const keepGitDirectory = instruction.flags.get('keep-git-dir')?.[0] === 'true';
    return sourceVertex({ source: 'git', url, keepGitDirectory, checksum }, label);
  }
  if (checksum !== '' && !/^sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$/.test(checksum))
    throw new DockerfileError(`invalid checksum ${JSON.stringify(checksum)}`, instruction.range);
  return sourceVertex({ source: 'http', url, checksum, filename: fileName(url, instruction) }, label);
}

/** The last part of an address's path. */
function fileName(address: string, instruction: CopyInstruction): string {
  let name = '';
  try {
    name = posix.basename(decodeURIComponent(new URL(address).pathname));
  } catch (error) {
    throw new DockerfileError(`invalid address ${address}`, instruction.range, { cause: error });
  }
  return name === '' || name === '/' ? '__unnamed__' : name;
}

function escapePattern(name: string): string {
  return name.replace(/[*?[\\]/g, '\\$&');
}

/** Variables of a here-document; quotes in it are text. */
function expandDocument(state: StageState, instruction: CopyInstruction, content: string): string {
  const protectedQuotes = content.replace(/["']/g, '\\$&');
  return state.expand(protectedQuotes, instruction);
}

/** The flags of a step as its name in the progress has them. */
export function stepFlags(flags: ReadonlyMap<string, readonly string[]>): string {
  const shown = [...flags].flatMap(([name, values]) =>
    values.map((value) => (value === 'true' ? `--${name} ` : `--${name}=${value} `)),
  );
  return shown.join('');
}

/** Here-documents come last, wherever they were written. */
function shownWords(state: StageState, instruction: CopyInstruction): string[] {
  const sources = instruction.sources.map((source) => state.expand(source, instruction));
  return [...sources, ...instruction.heredocs.map(({ name }) => `<<${name}`)];
}

function historyText(
  state: StageState,
  instruction: CopyInstruction,
  what: { chown: string; chmod: string; written: string },
): string {
  const flags = [
    instruction.flags.get('parents')?.[0] === 'true' ? '--parents ' : '',
    what.chown === '' ? '' : `--chown=${what.chown} `,
    what.chmod === '' ? '' : `--chmod=${what.chmod} `,
  ].join('');
  const name = instruction.kind === 'copy' ? 'COPY' : 'ADD';
  return `${name} ${flags}${shownWords(state, instruction).join(' ')} ${what.written} # buildkit`;
}
