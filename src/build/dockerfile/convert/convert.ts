/** A Dockerfile → the graph that makes its target, and the image's config. */
import { errorKind, errorMessage } from '../../../api/errors.ts';
import { type ContainerDefaults, configPlatform, defaultsKeys } from '../../../oci/image-config.ts';
import { type Platform, parsePlatform } from '../../../oci/platform.ts';
import { imageVertex, sourceVertex, wholeCopy } from '../../graph/operations.ts';
import { makeVertex, type Vertex } from '../../graph/vertex.ts';
import type { ArgInstruction, Instruction, RunInstruction } from '../instruction.ts';
import { lintFroms } from '../lint/from-rules.ts';
import { lintStages } from '../lint/text-rules.ts';
import { type ParsedDockerfile, parseTrigger } from '../parse.ts';
import { ShellLexer } from '../shell-words.ts';
import { DockerfileError } from '../source-error.ts';
import { suggestion } from '../suggestion.ts';
import { platformArguments, proxyNames } from './build-arguments.ts';
import * as config from './config-steps.ts';
import { copyStep, type SourceFinder } from './copy-step.ts';
import { outlineOf } from './outline.ts';
import type { BaseImage, BuildPlan, NamedContext, PlanOptions, UsedImage } from './plan.ts';
import { runStep } from './run-step.ts';
import { StageState, stepName } from './stage-state.ts';
import { findStage, type Stage, splitStages, targetStage } from './stages.ts';

/** The name of the build's own context. */
const mainContext = 'context';

/** Syntax lines that mean the language this builder speaks. */
const ownSyntax =
  /^(?:docker\.io\/)?(?:docker\/dockerfile|docker\/dockerfile-upstream|moby\/buildkit\/dockerfile)(?:[:@].*)?$/;

/**
 * Plans the target and what it needs; other stages are not looked at. Errors: `DockerfileError` with the line, whatever it is; what
 * `options.findImage` says comes as one too, with its kind.
 */
export async function convertDockerfile(parsed: ParsedDockerfile, options: PlanOptions): Promise<BuildPlan> {
  const { syntax } = parsed.directives;
  if (syntax !== undefined && !ownSyntax.test(syntax.split(/\s/, 1)[0] as string))
    throw new DockerfileError(
      `the front end ${syntax} is not supported; this builder has the Dockerfile language built in`,
      {
        first: 1,
        last: 1,
      },
      { kind: 'not-implemented' },
    );
  const conversion = new Conversion(parsed, options);
  return conversion.plan();
}

class Conversion implements SourceFinder {
  readonly #options: PlanOptions;
  readonly #escapeSign: string;
  readonly #stages: Stage[];
  /** The ARGs before the first FROM, and what is known there. */
  readonly #globalInstructions: readonly ArgInstruction[];
  readonly #globals: ReadonlyMap<string, string>;
  readonly #done = new Map<number, Promise<StageState>>();
  readonly #images = new Map<string, Promise<BaseImage>>();
  readonly #used: UsedImage[] = [];
  /** ARGs that were met. */
  readonly #declared = new Set<string>();

  constructor(parsed: ParsedDockerfile, options: PlanOptions) {
    const { globals, stages } = splitStages(parsed.instructions);
    this.#options = options;
    this.#escapeSign = parsed.directives.escapeSign;
    this.#stages = stages;
    this.#globalInstructions = globals;
    this.#globals = this.#globalArguments(options.arguments);
    this.#lint();
  }

  async plan(): Promise<BuildPlan> {
    const target = targetStage(this.#stages, this.#options.target);
    if (this.#options.allStages) for (const { index } of this.#stages) await this.#stage(index);
    const state = await this.#stage(target.index);
    const { config: defaults } = state;
    if (this.#options.labels.size > 0)
      defaults.Labels = { ...defaults.Labels, ...Object.fromEntries(this.#options.labels) };
    const platform = this.#platformOf(target);
    const needed = [...this.#done].sort(([a], [b]) => a - b);
    const states = await Promise.all(needed.map(([, stage]) => stage));
    const lines = states.flatMap((stage) => stage.lines);
    return {
      root: state.tree,
      lines,
      image: {
        architecture: state.base?.config.architecture || platform.architecture,
        os: state.base?.config.os || platform.os,
        ...((state.base ? state.base.config.variant : platform.variant) && {
          variant: (state.base ? state.base.config.variant : platform.variant) as string,
        }),
        ...(state.author !== '' && { author: state.author }),
        config: defaults,
        base: state.base,
        history: state.history,
      },
      unusedArguments: this.#unusedArguments(),
      images: this.#used,
      outline: () =>
        outlineOf({
          target,
          stages: states.map((one) => ({ stage: one.stage, values: one.arguments })),
          root: state.tree,
          globals: this.#globalInstructions,
          values: this.#globals,
          given: this.#options.arguments,
          lexer: new ShellLexer({ escapeSign: this.#escapeSign }),
        }),
    };
  }

  #unusedArguments(): string[] {
    const free = new Set([
      ...proxyNames,
      ...platformArguments(this.#options.buildPlatform, this.#options.platform, '').keys(),
      'SOURCE_DATE_EPOCH',
    ]);
    return [...this.#options.arguments.keys()]
      .filter((name) => !this.#declared.has(name) && !free.has(name) && !name.startsWith('BUILDKIT_'))
      .sort();
  }

  #lint(): void {
    const { linter } = this.#options;
    lintStages(linter, this.#stages);
    let defaults: ReadonlyMap<string, string> | null = null;
    try {
      defaults = this.#globalArguments(new Map());
    } catch {
      // One that must be given: nothing can be said of the build without it.
    }
    const declared = this.#globalInstructions.flatMap(({ pairs }) => pairs.map(({ name }) => name));
    const lexer = new ShellLexer({ escapeSign: this.#escapeSign });
    lintFroms(linter, this.#stages, { lexer, values: this.#globals, defaults, declared });
  }

  #globalArguments(given: ReadonlyMap<string, string>): Map<string, string> {
    const { buildPlatform, platform, target } = this.#options;
    const values = platformArguments(buildPlatform, platform, target);
    for (const [name, value] of values) values.set(name, this.#options.arguments.get(name) ?? value);
    const lexer = new ShellLexer({ escapeSign: this.#escapeSign });
    for (const instruction of this.#globalInstructions) {
      for (const { name, value } of instruction.pairs) {
        this.#declared.add(name);
        const text =
          given.get(name) ?? (value === null ? undefined : this.#expand(lexer, { word: value, values, instruction }));
        if (text !== undefined) values.set(name, text);
      }
    }
    return values;
  }

  #expand(
    lexer: ShellLexer,
    what: { word: string; values: ReadonlyMap<string, string>; instruction: Instruction },
  ): string {
    try {
      return lexer.expand(what.word, what.values).text;
    } catch (error) {
      throw new DockerfileError((error as Error).message, what.instruction.range, { cause: error });
    }
  }

  #stage(index: number): Promise<StageState> {
    let work = this.#done.get(index);
    if (!work) {
      work = this.#convert(this.#stages[index] as Stage);
      this.#done.set(index, work);
    }
    return work;
  }

  #platformOf(stage: Stage): Platform {
    if (stage.from.platform === '') return this.#options.platform;
    const lexer = new ShellLexer({ escapeSign: this.#escapeSign });
    const text = this.#expand(lexer, { word: stage.from.platform, values: this.#globals, instruction: stage.from });
    if (text === '') {
      const hint = [...stage.from.platform.matchAll(/\w+/g)].map(([name]) =>
        suggestion(name, [...this.#globals.keys()]),
      );
      throw new DockerfileError(
        `empty platform value from expression ${stage.from.platform}${hint.find((one) => one !== '') ?? ''}`,
        stage.from.range,
      );
    }
    try {
      return parsePlatform(text);
    } catch (error) {
      throw new DockerfileError(`failed to parse platform ${text}: ${errorMessage(error)}`, stage.from.range, {
        cause: error,
      });
    }
  }

  async #convert(stage: Stage): Promise<StageState> {
    const state = await this.#begin(stage);
    const triggers = state.config.OnBuild ?? [];
    state.config.OnBuild = null;
    const own = triggers.map((trigger) => parseTrigger(trigger, stage.from.range));
    const instructions = [...own, ...stage.instructions];
    state.steps = 1 + instructions.filter(isStep).length;
    const image = state.tree.kind === 'image' ? state.base?.id : undefined;
    state.lines.push({ text: stage.from.text, vertex: state.tree, ...(image !== undefined && { image }) });
    for (const instruction of instructions) {
      const before = state.tree;
      await this.#step(state, instruction);
      state.lint(instruction);
      state.lines.push({ text: instruction.text, vertex: state.tree === before ? null : state.tree });
    }
    return state;
  }

  async #begin(stage: Stage): Promise<StageState> {
    const { instructions } = stage;
    const lexer = new ShellLexer({ escapeSign: this.#escapeSign });
    const name = this.#expand(lexer, { word: stage.from.base, values: this.#globals, instruction: stage.from });
    if (name === '') throw new DockerfileError(`base name (${stage.from.base}) should not be blank`, stage.from.range);
    const wanted = this.#platformOf(stage);
    const common = { stage, plan: this.#options, escapeSign: this.#escapeSign, platform: wanted };
    const parent = findStage(this.#stages, name, stage.index);
    if (parent) {
      const below = await this.#stage(parent.index);
      return new StageState({
        ...common,
        tree: below.tree,
        base: below.base,
        config: below.config,
        author: below.author,
        history: below.history,
        platform: below.platform,
        parent: below,
      });
    }
    const steps = 1 + instructions.filter(isStep).length;
    const text = (shown: string): string =>
      stepName({ stage, plan: this.#options, platform: wanted, step: 1, steps, text: `FROM ${shown}` });
    const label = (shown: string) => ({
      name: text(shown),
      slot: `${this.#options.slot}/${stage.name || stage.index}/1`,
      lines: stage.from.range,
    });
    const named = this.#named(name);
    if (named && named.kind !== 'image') {
      // A folder as a base: its files are the tree.
      const files = this.#namedSource(named, stage.from);
      const tree = makeVertex({
        kind: 'copy',
        definition: { actions: [wholeCopy(0, '/')], link: true, epoch: this.#options.epoch },
        inputs: [files],
        label: label(name),
      });
      return new StageState({
        ...common,
        tree,
        base: null,
        config: { WorkingDir: '/' },
        author: '',
        history: [{ createdBy: `FROM ${name}`, vertex: tree }],
      });
    }
    if (name === 'scratch' && !named) {
      const tree = imageVertex({ layers: [] }, label('scratch'));
      return new StageState({ ...common, tree, base: null, config: { WorkingDir: '/' }, author: '', history: [] });
    }
    const base = await this.#image(named?.kind === 'image' ? named.reference : name, wanted, stage.from);
    const own = configPlatform(base.config);
    const tree = imageVertex({ layers: base.layers }, label(base.name));
    return new StageState({
      ...common,
      platform: own.architecture === '' ? wanted : own,
      tree,
      base,
      config: inherited(base),
      author: base.config.author ?? '',
      history: [],
    });
  }

  #named(name: string): NamedContext | undefined {
    return this.#options.namedContexts.get(name) ?? this.#options.namedContexts.get(name.toLowerCase());
  }

  async #image(reference: string, platform: Platform | null, instruction: Instruction): Promise<BaseImage> {
    const key = `${reference} ${JSON.stringify(platform)}`;
    let work = this.#images.get(key);
    if (!work) {
      work = Promise.resolve().then(async () => {
        const image = await this.#options.findImage(reference, platform);
        const { name, digest, layers } = image;
        this.#used.push({ name, digest, layers, platform: platform ?? this.#options.platform });
        return image;
      });
      this.#images.set(key, work);
    }
    try {
      return await work;
    } catch (error) {
      if (error instanceof DockerfileError) throw error;
      const message = errorMessage(error);
      const text = message.startsWith('invalid reference format')
        ? `failed to parse stage name ${JSON.stringify(reference)}: ${message}`
        : message;
      throw new DockerfileError(text, instruction.range, { kind: errorKind(error), cause: error });
    }
  }

  /** What `--from` means: an earlier stage by name or index, a named context, an image. */
  async find(from: string, state: StageState, instruction: Instruction): Promise<Vertex> {
    if (from === '') {
      const named = this.#named(mainContext);
      if (named) return this.#fromNamed(named, instruction);
      return sourceVertex(
        { source: 'local', name: mainContext },
        state.sideLabel('[internal] load build context', instruction),
      );
    }
    const stage = this.#stageOf(from, state, instruction);
    if (stage) return (await this.#stage(stage.index)).tree;
    const named = this.#named(from);
    if (named) return this.#fromNamed(named, instruction);
    if (from === 'scratch') return imageVertex({ layers: [] }, state.sideLabel('scratch', instruction));
    const image = await this.#image(from, state.options.platform, instruction);
    return imageVertex({ layers: image.layers }, state.sideLabel(`FROM ${image.name}`, instruction));
  }

  #stageOf(from: string, state: StageState, instruction: Instruction): Stage | undefined {
    const byName = findStage(this.#stages, from, state.stage.index);
    if (byName) return byName;
    if (findStage(this.#stages, from, this.#stages.length)?.index === state.stage.index)
      throw new DockerfileError(`circular dependency detected on stage: ${from}`, instruction.range);
    if (!/^[-+]?\d+$/.test(from)) return undefined;
    const index = Number(from);
    const found = this.#stages[index];
    const { stage } = state;
    const own = stage.name || `stage-${stage.index}`;
    if (!found) throw new DockerfileError(`invalid stage index ${from}`, instruction.range);
    if (found === stage) throw new DockerfileError(`circular dependency detected on stage: ${own}`, instruction.range);
    if (index > stage.index)
      throw new DockerfileError(
        `cannot copy from stage ${JSON.stringify(from)}, it needs to be defined before current stage ${JSON.stringify(own)}`,
        instruction.range,
      );
    return found;
  }

  async #fromNamed(named: NamedContext, instruction: Instruction): Promise<Vertex> {
    if (named.kind !== 'image') return this.#namedSource(named, instruction);
    const image = await this.#image(named.reference, this.#options.platform, instruction);
    return imageVertex(
      { layers: image.layers },
      { name: `FROM ${image.name}`, slot: `${this.#options.slot}/image/${image.name}`, lines: instruction.range },
    );
  }

  #namedSource(named: Exclude<NamedContext, { kind: 'image' }>, instruction: Instruction): Vertex {
    const shown = named.kind === 'files' ? named.name : named.url;
    const label = {
      name: named.kind === 'files' ? `[context ${shown}] load from client` : `[context] ${shown}`,
      slot: `${this.#options.slot}/context/${shown}`,
      lines: instruction.range,
    };
    if (named.kind === 'files') return sourceVertex({ source: 'local', name: named.name }, label);
    if (named.kind === 'git')
      return sourceVertex({ source: 'git', url: named.url, keepGitDirectory: false, checksum: '' }, label);
    return sourceVertex({ source: 'http', url: named.url, checksum: '', filename: 'context' }, label);
  }

  async #step(state: StageState, instruction: Instruction): Promise<void> {
    switch (instruction.kind) {
      case 'run':
        return runStep(state, instruction as RunInstruction, this);
      case 'copy':
      case 'add':
        return copyStep(state, instruction, this);
      case 'workdir':
        return workdirStep(state, instruction);
      case 'arg':
        return this.#argStep(state, instruction);
      case 'env':
        return config.envStep(state, instruction);
      case 'label':
        return config.labelStep(state, instruction);
      case 'cmd':
      case 'entrypoint':
        return config.commandStep(state, instruction);
      case 'expose':
        return config.exposeStep(state, instruction);
      case 'volume':
        return config.volumeStep(state, instruction);
      case 'user':
        return config.userStep(state, instruction);
      case 'stopsignal':
        return config.stopSignalStep(state, instruction);
      case 'shell':
        return config.shellStep(state, instruction);
      case 'maintainer':
        return config.maintainerStep(state, instruction);
      case 'onbuild':
        return config.onbuildStep(state, instruction);
      case 'healthcheck':
        return config.healthcheckStep(state, instruction);
      case 'from':
        throw new DockerfileError('FROM inside of a stage', instruction.range);
    }
  }

  /** A value comes from the command line, then from the ARG itself, then from an ARG before the first FROM. */
  #argStep(state: StageState, instruction: ArgInstruction): void {
    const shown: string[] = [];
    for (const pair of instruction.pairs) {
      const { name } = pair;
      this.#declared.add(name);
      const own = pair.value === null ? undefined : state.expand(pair.value, instruction);
      const proxy = proxyNames.includes(name) ? undefined : this.#globals.get(name);
      const value = state.options.arguments.get(name) ?? own ?? proxy;
      state.setArgument(name, value);
      shown.push(value === undefined ? name : `${name}=${value}`);
    }
    state.remember(`ARG ${shown.join(' ')}`);
  }
}

function workdirStep(state: StageState, instruction: Instruction & { kind: 'workdir' }): void {
  const wanted = state.expand(instruction.value, instruction);
  const path = state.absolute(wanted).replace(/(.)\/$/, '$1');
  // An absolute one stays as it is written.
  const shown = wanted.startsWith('/') ? wanted : path;
  state.config.WorkingDir = shown;
  if (path === '/') {
    state.remember(`WORKDIR ${shown}`);
    return;
  }
  const vertex = makeVertex({
    kind: 'directory',
    definition: { path, owner: state.config.User ?? '', epoch: state.options.epoch },
    inputs: [state.tree],
    label: state.nextLabel(`WORKDIR ${wanted}`, instruction),
    fresh: state.isFresh,
  });
  state.advance(vertex, `WORKDIR ${shown}`);
}

/** Numbered in the progress. */
function isStep(instruction: Instruction): boolean {
  return ['run', 'copy', 'add', 'workdir'].includes(instruction.kind);
}

/** What a stage takes over from its image. */
function inherited(base: BaseImage): ContainerDefaults {
  const from = base.config.config ?? {};
  const taken: Record<string, unknown> = {};
  for (const key of defaultsKeys) if (from[key] !== undefined && from[key] !== null) taken[key] = from[key];
  return taken as ContainerDefaults;
}
