/**
 * Archives of Docker before 1.10: one folder per layer with `json` (an image of its own) and `layer.tar`, and `repositories` with the
 * names (https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.md). The config that such images lack is put together here.
 */
import { createHash } from 'node:crypto';
import { BerthError } from '../api/errors.ts';
import { canonicalString, parseReference, withTag } from '../oci/reference.ts';
import type { ArchiveLayer, ArchiveMembers } from './archive-members.ts';

export interface LegacyImage {
  config: Buffer;
  configDigest: string;
  references: string[];
  layers: ArchiveLayer[];
}

/** Keys of the old image document that a config does not have. */
const droppedKeys = new Set(['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway']);
const longestChain = 256;

type Json = Record<string, unknown>;

/** The named images of `repositories`, or none where there is no such file. */
export async function legacyImages(members: ArchiveMembers): Promise<LegacyImage[]> {
  const file = members.document('repositories');
  if (!file) return [];
  const names = new Map<string, string[]>();
  for (const [name, tags] of Object.entries(json(file.bytes, 'repositories'))) {
    for (const [tag, id] of Object.entries(tags as Record<string, string>)) {
      const canonical = canonicalString(withTag(parseReference(name), tag));
      names.set(id, [...(names.get(id) ?? []), canonical]);
    }
  }
  return Promise.all([...names].map(async ([id, references]) => ({ ...(await build(members, id)), references })));
}

function json(bytes: Buffer, path: string): Json {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch (cause) {
    throw new BerthError('invalid', `${path}: ${(cause as Error).message}`, { cause });
  }
  throw new BerthError('invalid', `${path}: no JSON object`);
}

async function build(members: ArchiveMembers, id: string): Promise<Omit<LegacyImage, 'references'>> {
  const chain: { id: string; document: Json }[] = [];
  for (let at: unknown = id; typeof at === 'string' && at !== ''; ) {
    const file = members.document(`${at}/json`);
    if (!file) throw new BerthError('invalid', `open ${at}/json: no such file or directory`);
    if (chain.length >= longestChain) throw new BerthError('invalid', `too many layers below ${id}`);
    const document = json(file.bytes, `${at}/json`);
    chain.unshift({ id: at, document });
    at = document['parent'];
  }
  const top = chain.at(-1)?.document ?? {};
  const config = Object.fromEntries(Object.entries(top).filter(([key]) => !droppedKeys.has(key)));
  config['history'] = chain.map(({ document }) => ({
    created: document['created'],
    ...(commandOf(document) && { created_by: commandOf(document) }),
    ...(document['author'] ? { author: document['author'] } : {}),
    ...(document['comment'] ? { comment: document['comment'] } : {}),
  }));
  const layers = await Promise.all(
    chain.map(async (layer) => {
      const unpacked = await members.layer(`${layer.id}/layer.tar`);
      if (!unpacked) throw new BerthError('invalid', `open ${layer.id}/layer.tar: no such file or directory`);
      return unpacked;
    }),
  );
  config['rootfs'] = { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) };
  const bytes = Buffer.from(JSON.stringify(config));
  return {
    config: bytes,
    configDigest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    layers,
  };
}

function commandOf(document: Json): string {
  const command = (document['container_config'] as { Cmd?: string[] } | undefined)?.Cmd;
  return Array.isArray(command) ? command.join(' ') : '';
}
