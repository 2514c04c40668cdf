/** Takes what was built to where it was asked for. */
import type { Readable } from 'node:stream';
import { BerthError } from '../../api/errors.ts';
import type { BuildEvent, BuildExtras, BuildOutput, BuildResult, BuildStart } from '../../api/types/build.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { Built, BuiltImage } from '../build-work.ts';
import type { Builder } from '../builder.ts';
import type { TreeAttributes } from '../session/layered-files.ts';
import { type BuiltTarget, makeTarget } from './image-target.ts';
import { packLayers } from './packed-layers.ts';
import { asVersion02, newInvocation, type ProvenanceWork, provenance, provenancePredicate } from './provenance.ts';
import { sbom } from './sbom.ts';
import type { Attestation } from './statement.ts';
import { tarOf } from './tree-tar.ts';

export interface ResultsOptions {
  builder: Pick<Builder, 'storeImage'>;
  store: ImageStore;
  attributes: TreeAttributes;
  /** An image as an archive that holds both of Docker's and OCI's layouts; with `target` all that is meant by that. */
  save(image: { id: string; names: readonly string[]; target: string | null }, signal: AbortSignal): Promise<Readable>;
}

export interface ResultsWork {
  tell: (event: BuildEvent) => void;
  signal: AbortSignal;
  /** Sends an output; resolves when the client has everything. */
  send: (output: number, bytes: AsyncIterable<Uint8Array>) => Promise<void>;
}

/** The last line of the progress. */
const exportId = 'export';

export class Results {
  readonly #options: ResultsOptions;

  constructor(options: ResultsOptions) {
    this.#options = options;
  }

  /** Errors: `invalid` for what an output cannot hold; the store's, the client's. */
  async export(start: BuildStart, built: Built, work: ResultsWork): Promise<BuildResult> {
    const { tell } = work;
    const storing = start.outputs.length === 0 || start.outputs.some(({ type }) => type !== 'tar');
    checkOutputs(start.outputs, built);
    const name = storing ? 'exporting to image' : 'exporting to client';
    tell({ type: 'vertices', vertices: [{ id: exportId, name }] });
    tell({ type: 'started', id: exportId, time: Date.now() });
    const status = (text: string): void => tell({ type: 'status', id: exportId, text });
    const { attestations, metadata } = await this.#attestations(start, built, { ...work, storing });
    const target = storing ? await this.#target(start, built, { attestations, signal: work.signal, status }) : null;
    let imageId = '';
    if (storing) {
      const stored = await this.#options.builder.storeImage(built, start.options.tags, target);
      imageId = stored.imageId;
      for (const text of [`writing image ${imageId}`, ...stored.references.map((one) => `naming to ${one}`)])
        status(text);
    }
    for (const [number, output] of start.outputs.entries()) {
      if (output.type === 'image') continue;
      await work.send(
        number,
        await this.#content(output, { built, imageId, target, attestations, start, signal: work.signal }),
      );
    }
    tell({ type: 'done', id: exportId, time: Date.now(), cached: false, reasons: [] });
    return { imageId, ...(target && { descriptor: target.descriptor }), ...(metadata && { provenance: metadata }) };
  }

  async #target(
    start: BuildStart,
    built: Built,
    work: {
      attestations: ReadonlyMap<BuiltImage, readonly Attestation[]>;
      signal: AbortSignal;
      status: (text: string) => void;
    },
  ): Promise<BuiltTarget | null> {
    const { annotations = [], ociArtifact = true } = start.extras ?? {};
    const { attestations, signal, status } = work;
    if (built.images.length === 1 && attestations.size === 0 && annotations.length === 0) return null;
    status('packing layers');
    const target = await makeTarget(
      { images: built.images, attestations, annotations, tags: start.options.tags, ociArtifact },
      { store: this.#options.store, lease: built.lease, signal },
    );
    status(`exporting manifest ${target.digest}`);
    return target;
  }

  /** What is said of the images, and what the client alone wants to hear. */
  async #attestations(
    start: BuildStart,
    built: Built,
    work: { signal: AbortSignal; storing: boolean },
  ): Promise<{ attestations: Map<BuiltImage, Attestation[]>; metadata: Record<string, unknown> | null }> {
    const attestations = new Map<BuiltImage, Attestation[]>();
    const { extras } = start;
    if (!extras || (!extras.provenance && !extras.sbom && !extras.metadata)) return { attestations, metadata: null };
    const metadata: Record<string, unknown> = {};
    const about = await this.#provenanceWork(start, built, { ...work, extras });
    for (const image of built.images) {
      const said: Attestation[] = [];
      if (extras.sbom) said.push(await sbom(image, { ...this.#options, built, signal: work.signal }));
      if (extras.provenance) said.push(await provenance(image, extras.provenance, about));
      if (said.length > 0) attestations.set(image, said);
      if (extras.metadata) {
        const predicate = asVersion02(await provenancePredicate(image, { mode: extras.metadata }, about));
        const { metadata: times, buildConfig, ...least } = predicate as Record<string, unknown>;
        const name = built.images.length > 1 ? formatPlatform(image.platform) : '';
        metadata[name] = extras.metadata === 'min' ? least : { ...least, metadata: times, buildConfig };
      }
    }
    return { attestations, metadata: extras.metadata ? metadata : null };
  }

  async #provenanceWork(
    start: BuildStart,
    built: Built,
    { signal, storing, extras }: { signal: AbortSignal; storing: boolean; extras: BuildExtras },
  ): Promise<ProvenanceWork> {
    const { store } = this.#options;
    const isFull = extras.provenance !== null && extras.provenance['mode'] !== 'min';
    const diffIds = built.images.flatMap((image) => image.diffIds);
    const packed = isFull && storing ? await packLayers(diffIds, { store, lease: built.lease, signal }) : new Map();
    return {
      built,
      remote: start.context.kind === 'remote' ? start.context.url : '',
      invocation: newInvocation(),
      finished: Date.now(),
      vcs: extras.vcs,
      packed,
    };
  }

  async #content(
    output: BuildOutput,
    what: {
      built: Built;
      imageId: string;
      target: BuiltTarget | null;
      attestations: ReadonlyMap<BuiltImage, readonly Attestation[]>;
      start: BuildStart;
      signal: AbortSignal;
    },
  ): Promise<AsyncIterable<Uint8Array>> {
    const { built, imageId, target, attestations, start, signal } = what;
    if (output.type === 'tar')
      return tarOf(built, { output, attestations, attributes: this.#options.attributes, signal });
    const { tags: names } = start.options;
    return this.#options.save({ id: imageId, names, target: target?.digest ?? null }, signal);
  }
}

function checkOutputs(outputs: readonly BuildOutput[], built: Built): void {
  if (built.images.length > 1 && outputs.some(({ type }) => type === 'docker'))
    throw new BerthError('invalid', 'docker exporter does not currently support exporting manifest lists');
}
