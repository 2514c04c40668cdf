/** Attestations as BuildKit keeps them: https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */

/** Something said about an image. */
export interface Attestation {
  predicateType: string;
  predicate: unknown;
  /** Name of its file where the result is one of files. */
  filename: string;
  /** Not where the result is one of files. */
  inlineOnly: boolean;
}

/** What a statement is about. */
export interface Subject {
  name: string;
  digest: { sha256: string };
}

/** The media type of what `statement` gives. */
export const statementType = 'application/vnd.in-toto+json';

/** An in-toto statement: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export function statement({ predicateType, predicate }: Attestation, subject: readonly Subject[]): object {
  return { _type: 'https://in-toto.io/Statement/v1', predicateType, subject, predicate };
}

export function subjectOf(name: string, digest: string): Subject {
  return { name, digest: { sha256: digest.slice('sha256:'.length) } };
}
