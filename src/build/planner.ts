/** From a Dockerfile and what was asked for to the graph of a build, or to what is said about it. */
import { BerthError } from '../api/errors.ts';
import type { BuildCall, BuildEvent, BuildOptions, BuildReport } from '../api/types/build.ts';
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '../oci/platform.ts';
import type { Lease } from '../store/types.ts';
import { withExcerpt } from './build-error.ts';
import type { BuildClient, BuildWork, FindImage } from './build-work.ts';
import { convertDockerfile } from './dockerfile/convert/convert.ts';
import type { BaseImage, BuildPlan, NamedContext } from './dockerfile/convert/plan.ts';
import { directivesOf } from './dockerfile/lines.ts';
import { Linter } from './dockerfile/lint/linter.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import type { DockerfileSource } from './dockerfile/source-error.ts';
import type { Imports } from './remote-cache/imports.ts';
import { checkReport, outlineReport, targetsReport } from './reports.ts';

interface PlanWork {
  source: DockerfileSource;
  client: BuildClient;
  epoch: number | null;
  lease: Lease;
  linter: Linter;
  /** Stages too that the target does not need. */
  allStages?: boolean;
  /** Nothing will be built. */
  configOnly?: boolean;
  imports?: Imports | null;
  /** All that are asked for; missing: what the options say. */
  platforms?: readonly Platform[];
  /** The one that is planned; missing: the first. */
  platform?: Platform;
}

/** What one platform's image is made by. */
export interface PlatformPlan {
  platform: Platform;
  plan: BuildPlan;
}

export class Planner {
  readonly #findImage: FindImage;

  constructor(findImage: FindImage) {
    this.#findImage = findImage;
  }

  /** The plans of all platforms; the client hears of the first one and of its warnings. Errors: `invalid`, the Dockerfile's. */
  async planAll(options: BuildOptions, work: BuildWork & Omit<PlanWork, 'linter'>): Promise<PlatformPlan[]> {
    const linter = linterOf(work.source, options);
    const platforms = platformsOf(options);
    const plans: PlatformPlan[] = [];
    for (const platform of platforms) {
      // What the checks have to say they have said of the first.
      const one = { ...work, platforms, platform, linter: plans.length === 0 ? linter : new Linter() };
      const plan = await this.#plan(options, one).finally(() => {
        if (plans.length === 0) tellWarnings(linter, work.event);
      });
      if (plans.length === 0 && linter.violation !== null) throw new BerthError('invalid', linter.violation);
      plans.push({ platform, plan });
    }
    if (plans[0]) tellPlan(plans[0].plan, work.event);
    return plans;
  }

  /** Says something about the Dockerfile and builds nothing. Errors as of `build`, but `check` tells of them too. */
  async report(
    call: Exclude<BuildCall, 'build'>,
    options: BuildOptions,
    { client, ...work }: BuildWork & { client: BuildClient; lease: Lease },
  ): Promise<BuildReport> {
    const source = await client.dockerfile();
    try {
      if (call === 'targets') return targetsReport(source);
      const common = { source, client, epoch: null, configOnly: true, ...work };
      if (call === 'outline')
        return outlineReport(source, await this.#plan(options, { ...common, linter: new Linter() }));
      let linter = new Linter();
      try {
        linter = linterOf(source, options);
        // Without a target all are looked at.
        await this.#plan(options, { ...common, linter, allStages: options.target === '' });
        return checkReport(source, linter, null);
      } catch (error) {
        work.signal.throwIfAborted();
        return checkReport(source, linter, error);
      }
    } catch (error) {
      if (work.signal.aborted) throw error;
      throw withExcerpt(error, source);
    }
  }

  async #plan(options: BuildOptions, work: BuildWork & PlanWork): Promise<BuildPlan> {
    const platforms = work.platforms ?? platformsOf(options);
    const platform = work.platform ?? (platforms[0] as Platform);
    return convertDockerfile(parseDockerfile(work.source.text, work.linter), {
      target: options.target,
      allStages: work.allStages ?? false,
      linter: work.linter,
      arguments: new Map(Object.entries(options.buildArguments)),
      labels: new Map(Object.entries(options.labels)),
      noCache: options.noCache || (options.noCacheFilter.length > 0 ? options.noCacheFilter : false),
      platform,
      buildPlatform: hostPlatform(),
      namesPlatform: platforms.length > 1,
      epoch: work.epoch,
      network: options.network || 'default',
      extraHosts: options.extraHosts,
      limits: options.limits,
      namedContexts: new Map(
        Object.entries(options.namedContexts).map(([name, text]) => [name, namedContext(name, text)]),
      ),
      ignored: work.client.ignored ?? [],
      slot: [work.client.slot, work.source.name, ...(platforms.length > 1 ? [formatPlatform(platform)] : [])].join('/'),
      allowInsecure: options.allow.includes('security.insecure'),
      allowHostNetwork: options.network === 'host' || options.allow.includes('network.host'),
      findImage: async (reference, wanted) => {
        const { imports, configOnly = false } = work;
        const find = (onlyConfig: boolean): Promise<BaseImage> =>
          this.#findImage(reference, { platform: wanted, pull: options.pull, configOnly: onlyConfig }, work);
        if (!imports || imports.isEmpty) return find(configOnly);
        // Where all steps upon it are cached elsewhere, nobody looks into it.
        const image = await find(true);
        imports.promise(image, () => find(false));
        return image;
      },
    });
  }
}

/** Of every build one at least, none twice. Error: `invalid`. */
export function platformsOf({ platform }: BuildOptions): Platform[] {
  if (platform === '') return [hostPlatform()];
  const named = platform.split(',').map((text) => parsePlatform(text.trim()));
  return [...new Map(named.map((one) => [formatPlatform(one), one])).values()];
}

function tellWarnings(linter: Linter, event: (event: BuildEvent) => void): void {
  for (const { rule, detail, range } of linter.warnings)
    event({ type: 'warning', rule, message: detail, line: range.first });
}

function tellPlan(plan: BuildPlan, event: (event: BuildEvent) => void): void {
  event({
    type: 'lines',
    lines: plan.lines.map(({ text, vertex, image }) => ({
      text,
      id: vertex?.digest ?? null,
      ...(image !== undefined && { image }),
    })),
  });
  if (plan.unusedArguments.length > 0)
    event({
      type: 'warning',
      rule: null,
      message: `[Warning] One or more build-args [${plan.unusedArguments.join(' ')}] were not consumed`,
      line: 0,
    });
}

/** What `# check=` says, or the argument that goes before it. Error: `invalid`; `DockerfileError` for other directives. */
function linterOf(source: DockerfileSource, options: BuildOptions): Linter {
  return new Linter(options.buildArguments['BUILDKIT_DOCKERFILE_CHECK'] ?? directivesOf(source.text).check);
}

/** Seconds of SOURCE_DATE_EPOCH, where it is given. Error: `invalid`. */
export function epochOf(buildArguments: Record<string, string>): number | null {
  const text = buildArguments['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return null;
  if (!/^\d+$/.test(text))
    throw new BerthError(
      'invalid',
      `invalid SOURCE_DATE_EPOCH: ${text}: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  return Number(text);
}

function namedContext(name: string, text: string): NamedContext {
  if (text.startsWith('docker-image://')) return { kind: 'image', reference: text.slice('docker-image://'.length) };
  if (/^(?:git@|git:\/\/|ssh:\/\/)|\.git(?:#.*)?$/.test(text)) return { kind: 'git', url: text };
  if (/^https?:\/\//.test(text)) return { kind: 'http', url: text };
  return { kind: 'files', name };
}
