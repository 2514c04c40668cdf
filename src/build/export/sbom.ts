import { sha256 } from '../../oci/digest.ts';
import { familiarString, parseReference, withDefaultTag } from '../../oci/reference.ts';
import type { Built, BuiltImage } from '../build-work.ts';
import { lowerOf } from '../ops/values.ts';
import { scanTree } from '../sbom/scan.ts';
import { spdxDocument } from '../sbom/spdx.ts';
import { LayeredFiles, type TreeAttributes } from '../session/layered-files.ts';
import type { Attestation } from './statement.ts';

/** What an image consists of, as far as its own lists of packages say. Error: the signal's reason. */
export async function sbom(
  image: BuiltImage,
  work: { built: Built; attributes: TreeAttributes; signal: AbortSignal },
): Promise<Attestation> {
  const { built, attributes, signal } = work;
  const files = new LayeredFiles({ layers: await lowerOf(image.layers), attributes });
  const [tag] = built.options.tags;
  const predicate = spdxDocument({
    name: tag === undefined ? 'image' : familiarString(withDefaultTag(parseReference(tag))),
    content: sha256(image.config),
    created: built.epoch === null ? Date.now() : built.epoch * 1000,
    packages: await scanTree(files, signal),
  });
  return { predicateType: 'https://spdx.dev/Document', predicate, filename: 'sbom.spdx.json', inlineOnly: false };
}
