/** `--annotation`, `--attest`, `--provenance` and `--sbom`: what a build makes of an image besides its layers. */
import { errorMessage } from '../../api/errors.ts';
import type { BuildAnnotation, BuildExtras } from '../../api/types/build.ts';
import { goBoolean } from '../../base/go-boolean.ts';
import { formatPlatform, parsePlatform } from '../../oci/platform.ts';
import { ExitStatus } from '../command.ts';

export interface ExtrasWish {
  annotation: readonly string[];
  attest: readonly string[];
  provenance: string;
  sbom: string;
  /** A file is wanted that tells of the result. */
  metadata: boolean;
  /** Fields of `--output` that say more than where the result goes. */
  fields: ReadonlyMap<string, string>;
}

const levels: readonly string[] = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'];

/** Error: exit status 1 in buildx's words. */
export function readExtras(wish: ExtrasWish, environment: Readonly<Record<string, string | undefined>>): BuildExtras {
  const attestations = readAttestations(wish);
  return {
    annotations: [...wish.annotation.flatMap(readAnnotation), ...[...wish.fields].flatMap(fieldAnnotation)],
    provenance: attestations.get('provenance') ?? null,
    sbom: attestations.get('sbom') ?? null,
    metadata: wish.metadata ? metadataMode(environment['BUILDX_METADATA_PROVENANCE'] ?? '') : null,
    vcs: {},
    ociArtifact: wish.fields.get('oci-artifact') !== 'false',
  };
}

/** `key=value`, `index,manifest[linux/amd64]:key=value` */
function readAnnotation(text: string): BuildAnnotation[] {
  if (text === '') return [];
  const separator = text.indexOf('=');
  if (separator < 0) throw failed(`invalid annotation ${JSON.stringify(text)}, expected key=value`);
  const name = text.slice(0, separator);
  const value = text.slice(separator + 1);
  const colon = name.indexOf(':');
  if (colon < 0) return [{ level: 'manifest', platform: '', key: name, value }];
  const key = name.slice(colon + 1);
  return name
    .slice(0, colon)
    .split(',')
    .map((type) => ({ ...readLevel(type), key, value }));
}

function readLevel(text: string): Pick<BuildAnnotation, 'level' | 'platform'> {
  const match = /^([a-z-]+)(?:\[([A-Za-z0-9_/-]+)\])?$/.exec(text);
  if (!match)
    throw failed(
      `invalid annotation type ${JSON.stringify(text)}, expected type and optional platform in square brackets`,
    );
  const [, level = '', platform = ''] = match;
  if (!levels.includes(level)) throw failed(`unknown annotation type ${JSON.stringify(level)}`);
  return { level: level as BuildAnnotation['level'], platform: readPlatform(platform) };
}

function readPlatform(text: string): string {
  if (text === '') return '';
  try {
    return formatPlatform(parsePlatform(text));
  } catch (error) {
    throw failed(`invalid platform ${JSON.stringify(text)}: ${errorMessage(error)}`);
  }
}

/** `annotation-index.key=value` of an output. */
function fieldAnnotation([name, value]: [string, string]): BuildAnnotation[] {
  const match = /^annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(\S+)$/.exec(name);
  if (!match) return [];
  const [, level = 'manifest', platform = '', key = ''] = match;
  if (!levels.includes(level)) throw failed(`unrecognized annotation type ${level}`);
  return [{ level: level as BuildAnnotation['level'], platform: readPlatform(platform), key, value }];
}

/** Attributes by type; of two of one type the later counts, and `--provenance` and `--sbom` more than `--attest`. */
function readAttestations(wish: ExtrasWish): Map<string, Record<string, string>> {
  const wanted = new Map<string, Record<string, string> | null>();
  for (const text of [...wish.attest, ...shorthand('provenance', wish.provenance), ...shorthand('sbom', wish.sbom)]) {
    const { type, attributes } = readAttestation(text);
    wanted.set(type, attributes);
  }
  return new Map([...wanted].flatMap(([type, attributes]) => (attributes ? [[type, attributes] as const] : [])));
}

function shorthand(type: string, text: string): string[] {
  if (text === '') return [];
  const given = goBoolean(text);
  if (given === null) return [`type=${type},${text}`];
  return [given ? `type=${type}` : `type=${type},disabled=true`];
}

function readAttestation(text: string): { type: string; attributes: Record<string, string> | null } {
  const attributes: Record<string, string> = {};
  let type = '';
  let isDisabled = false;
  for (const field of text.split(',')) {
    const separator = field.indexOf('=');
    if (separator < 0) throw failed(`invalid value ${field}`);
    const [key, value] = [field.slice(0, separator).trim(), field.slice(separator + 1)];
    if (key.toLowerCase() === 'type') type = value;
    else if (key.toLowerCase() === 'disabled') isDisabled = goBoolean(value) === true;
    else attributes[key] = value;
  }
  if (type === '') throw failed('attestation type not specified');
  if (type === 'sbom' && attributes['generator'] !== undefined && !isDisabled)
    throw failed('--sbom takes no generator: the engine looks through the image itself');
  if (type === 'provenance' && !isDisabled) checkProvenance(attributes);
  else if (type !== 'sbom' && type !== 'provenance') throw failed(`unknown attestation type ${JSON.stringify(type)}`);
  return { type, attributes: isDisabled ? null : attributes };
}

function checkProvenance({ mode = 'max', version = 'v1', reproducible = 'false' }: Record<string, string>): void {
  if (!['min', 'max', 'full'].includes(mode)) throw failed(`invalid mode ${JSON.stringify(mode)}`);
  if (!['v1', 'v0.2'].includes(version)) throw failed(`invalid provenance SLSA version: ${version}`);
  if (goBoolean(reproducible) === null)
    throw failed(`failed to parse reproducible flag ${JSON.stringify(reproducible)}`);
}

/** As buildx reads the variable: `min` unless it says otherwise. */
function metadataMode(text: string): 'min' | 'max' | null {
  if (text.toLowerCase() === 'disabled' || goBoolean(text) === false) return null;
  return text === 'max' ? 'max' : 'min';
}

function failed(text: string): ExitStatus {
  return new ExitStatus(1, `ERROR: failed to build: ${text}`);
}
