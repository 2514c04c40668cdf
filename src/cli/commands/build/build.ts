import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildExtras, BuildOutput, BuildReport, BuildResult, BuildStart } from '../../../api/types/build.ts';
import { BuildFailed, runBuild } from '../../../client/build/build.ts';
import { parseBinarySize } from '../../../wire/size.ts';
import type { Caches } from '../../build/caches.ts';
import { type Call, parseCall } from '../../build/call.ts';
import { type OpenedContext, openContext } from '../../build/context.ts';
import { readExtras } from '../../build/extras.ts';
import { resultMetadata } from '../../build/metadata.ts';
import { buildTable } from '../../build/options.ts';
import { type OutputTarget, parseOutput, writeOutput } from '../../build/outputs.ts';
import { chooseProgress } from '../../build/progress.ts';
import { checkFlags, checkTag } from '../../build/refusals.ts';
import { agentPipe, checkSecrets, parseSecrets, parseSsh, readSecret } from '../../build/secrets.ts';
import { folderRevision } from '../../build/vcs.ts';
import { type Cli, defineCommand, ExitStatus } from '../../command.ts';
import { registryConfig } from '../../config/credentials.ts';
import { proxyVariables } from '../../config/proxies.ts';
import type { OptionValues } from '../../grammar/options.ts';
import { pairs } from '../../pairs.ts';
import { parseUlimits } from '../../run-options/resources.ts';

type Options = OptionValues<typeof buildTable>;

export const command = defineCommand({
  usage: '[OPTIONS] PATH | URL | -',
  options: buildTable,
  words: { least: 1, most: 1 },
  complete: 'files',
  async run({ cli, options, words }) {
    const [place] = words as [string];
    for (const line of checkFlags(options)) await cli.err.write(`${line}\n`);
    const caches = await cachesOf(cli, options);
    const call = parseCall(options.call, options.check);
    const context = await openContext(place, { file: options.file, named: pairs(options['build-context']) });
    const targets = options.output.map(parseOutput);
    const folder = context.kind.kind === 'files' ? place : null;
    const extras = await extrasOf(cli, options, { targets, folder });
    const tags = [...new Set([...options.tag, ...targets.flatMap(({ names }) => names)])];
    for (const tag of tags) checkTag(tag);
    const pushes = options.push || targets.some(({ push }) => push);
    if (pushes && tags.length === 0)
      throw new ExitStatus(1, 'ERROR: failed to build: tag is needed when pushing to registry');
    const result = await build(cli, { options, caches, context, targets, call, tags, extras });
    if (result.report) return tell(cli, result.report, { call, file: dockerfileName(place, options.file, context) });
    if (options.iidfile !== '') await writeFile(options.iidfile, result.imageId);
    if (options['metadata-file'] !== '')
      await writeFile(options['metadata-file'], `${JSON.stringify(resultMetadata(tags, result), null, 2)}\n`);
    if (options.quiet && result.imageId !== '') await cli.out.write(`${result.imageId}\n`);
    if (pushes) await pushAll(cli, tags);
    return 0;
  },
});

/** Prints an answer about the Dockerfile; gives the exit status. */
async function tell(cli: Cli, report: BuildReport, { call, file }: { call: Call; file: string }): Promise<number> {
  const { renderReport } = await import('../../render/build-report.ts');
  const { out, err, failed } = renderReport(report, call.format, file);
  await cli.out.write(out);
  await cli.err.write(err);
  return failed && !call.ignoreStatus ? 1 : 0;
}

/** The Dockerfile as the user may call it. */
function dockerfileName(place: string, file: string, { kind, dockerfile }: OpenedContext): string {
  const name = dockerfile?.name ?? 'Dockerfile';
  if (kind.kind !== 'files' || file === '-') return name;
  return file === '' ? join(place, name) : file;
}

interface Work {
  /** Names for the image. */
  tags: string[];
  call: Call;
  /** Null: no flag names one. */
  caches: Caches | null;
  options: Options;
  context: OpenedContext;
  targets: OutputTarget[];
  extras: BuildExtras;
}

async function cachesOf(cli: Cli, options: Options): Promise<Caches | null> {
  const { 'cache-from': from, 'cache-to': to } = options;
  if (from.length === 0 && to.length === 0) return null;
  const { openCaches } = await import('../../build/caches.ts');
  const caches = await openCaches(from, to);
  for (const line of caches.warnings) await cli.err.write(`${line}\n`);
  return caches;
}

async function build(cli: Cli, work: Work): Promise<BuildResult> {
  const { options, caches, context, targets } = work;
  const secrets = parseSecrets(options.secret, cli.environment);
  await checkSecrets(secrets);
  const agents = parseSsh(options.ssh, cli.environment);
  const start = await startMessage(cli, work);
  const progress = await chooseProgress(cli, options);
  try {
    const result = await runBuild(cli.client, start, {
      event: (event) => progress.take(event),
      files: (name) => context.files(name),
      tar: () => context.tar(),
      secret: (id) => readSecret(secrets, id),
      ssh: (id) => agentPipe(agents, id),
      cacheFrom: (number) => caches?.sources.get(number) ?? null,
      cacheTo: (number) => caches?.destinations.get(number) ?? null,
      output: (number, bytes) => writeOutput(targets[number] as OutputTarget, bytes, cli.out),
    });
    await progress.finish(false);
    return result;
  } catch (error) {
    await progress.finish(true);
    if (!(error instanceof BuildFailed)) throw error;
    const excerpt = error.excerpt === '' ? '' : `${error.excerpt}\n`;
    const hint = error.hint ? `\nHint: ${error.hint}` : '';
    throw new ExitStatus(1, `${excerpt}ERROR: failed to build: failed to solve: ${error.message}${hint}`);
  }
}

async function startMessage(cli: Cli, work: Work): Promise<BuildStart> {
  const { options, caches, context, targets, call, tags, extras } = work;
  return {
    options: {
      tags,
      dockerfile: context.dockerfilePath,
      target: options.target,
      buildArguments: buildArguments(cli, options),
      labels: pairs(options.label),
      noCache: options['no-cache'],
      noCacheFilter: options['no-cache-filter'],
      pull: options.pull,
      platform: options.platform.join(','),
      network: options.network,
      extraHosts: options['add-host'].map((text) => text.replace('=', ':')),
      limits: limits(options),
      namedContexts: context.named,
      allow: options.allow,
      explain: options.explain,
      ...(caches && { cacheFrom: caches.from, cacheTo: caches.to }),
    },
    call: call.name,
    place: context.place,
    dockerfile: context.dockerfile,
    context: context.kind,
    ignored: context.ignored,
    outputs: targets.map(outputOf),
    extras,
    auths: await registryConfig(cli),
  };
}

function outputOf({ type, fields }: OutputTarget): BuildOutput {
  if (type !== 'local' && type !== 'tar') return { type };
  const split = fields.get('platform-split');
  const attestationPrefix = fields.get('attestation-prefix');
  return {
    type: 'tar',
    ...(split !== undefined && { split: split === 'true' }),
    ...(attestationPrefix !== undefined && { attestationPrefix }),
  };
}

/** @param what.folder the context, where it is one of this machine */
async function extrasOf(
  cli: Cli,
  options: Options,
  { targets, folder }: { targets: readonly OutputTarget[]; folder: string | null },
): Promise<BuildExtras> {
  const { annotation, attest, provenance, sbom } = options;
  const metadata = options['metadata-file'] !== '';
  const fields = new Map(targets.flatMap((target) => [...target.fields]));
  const extras = readExtras({ annotation, attest, provenance, sbom, metadata, fields }, cli.environment);
  if (extras.provenance === null || folder === null) return extras;
  return { ...extras, vcs: await folderRevision(folder, cli.environment) };
}

/** `NAME=value`, or the value that the shell's own variable has; without either the name says nothing. */
function buildArguments(cli: Cli, options: Options): Record<string, string> {
  const given = options['build-arg'].flatMap((text) => {
    if (text.includes('=')) return [text];
    const value = cli.environment[text];
    return value === undefined ? [] : [`${text}=${value}`];
  });
  const epoch = cli.environment['SOURCE_DATE_EPOCH'];
  const own =
    epoch && !given.some((text) => text.startsWith('SOURCE_DATE_EPOCH=')) ? [`SOURCE_DATE_EPOCH=${epoch}`] : [];
  return pairs([...proxyVariables(cli, given), ...own, ...given]);
}

function limits(options: Options): Record<string, unknown> {
  const sizes = { Memory: options.memory, MemorySwap: options['memory-swap'], ShmSize: options['shm-size'] };
  return {
    ...Object.fromEntries(
      Object.entries(sizes).flatMap(([key, text]) =>
        text === '' ? [] : [[key, text === '-1' ? -1 : parseBinarySize(text)]],
      ),
    ),
    ...(options['cpu-shares'] !== 0 && { CpuShares: options['cpu-shares'] }),
    ...(options['cpu-period'] !== 0 && { CpuPeriod: options['cpu-period'] }),
    ...(options['cpu-quota'] !== 0 && { CpuQuota: options['cpu-quota'] }),
    ...(options['cpuset-cpus'] !== '' && { CpusetCpus: options['cpuset-cpus'] }),
    ...(options['cpuset-mems'] !== '' && { CpusetMems: options['cpuset-mems'] }),
    ...(options['cgroup-parent'] !== '' && { CgroupParent: options['cgroup-parent'] }),
    ...(options.ulimit.length > 0 && { Ulimits: parseUlimits(options.ulimit) }),
  };
}

async function pushAll(cli: Cli, tags: readonly string[]): Promise<void> {
  const { pushWithProgress } = await import('../image/push.ts');
  for (const tag of tags) await pushWithProgress(cli, { image: tag, allTags: false, platform: '', quiet: false });
}
