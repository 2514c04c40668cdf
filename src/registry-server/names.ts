/** Names in paths (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests). */
import { isDigest } from '../oci/digest.ts';
import { RegistryProblem } from './problem.ts';

const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** Names become parts of references, which clients limit. */
const longestName = 255;

export function isRepositoryName(text: string): boolean {
  return text.length <= longestName && namePattern.test(text);
}

/** Error: `NAME_INVALID`. */
export function checkRepositoryName(text: string): string {
  if (!isRepositoryName(text)) throw new RegistryProblem('NAME_INVALID', { detail: { name: text.slice(0, 300) } });
  return text;
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Error: `DIGEST_INVALID` for text that is no digest of a known algorithm. */
export function checkDigest(text: string): string {
  if (!isDigest(text)) throw new RegistryProblem('DIGEST_INVALID', { message: 'invalid checksum digest format' });
  return text;
}

/** Who owns a repository: its first component; a name of one component belongs to `library`, as Docker's official images. */
export function namespaceOf(repository: string): string {
  const slash = repository.indexOf('/');
  return slash < 0 ? 'library' : repository.slice(0, slash);
}
