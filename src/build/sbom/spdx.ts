/** SPDX documents: https://spdx.github.io/spdx-spec/v2.3/ */
import { sha256 } from '../../oci/digest.ts';
import type { FoundPackage } from './found-package.ts';

export interface SpdxWish {
  /** What the packages are in. */
  name: string;
  /** `sha256:…` that tells this content from any other. */
  content: string;
  /** Unix milliseconds. */
  created: number;
  packages: readonly FoundPackage[];
}

const unknown = 'NOASSERTION';
const documentId = 'SPDXRef-DOCUMENT';
const rootId = 'SPDXRef-DocumentRoot-Image';

/** Licences by their names in SPDX's list; what is named otherwise is told in words. */
const licenses: ReadonlySet<string> = new Set(
  `0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause
  BSD-4-Clause BSL-1.0 CC-BY-3.0 CC-BY-4.0 CC0-1.0 curl EPL-2.0 GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later
  ISC LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later MIT MIT-0 MPL-1.1 MPL-2.0 OFL-1.1 OpenSSL PSF-2.0
  Python-2.0 Unlicense Vim W3C WTFPL X11 Zlib ZPL-2.1`.split(/\s+/),
);

/** The document as JSON. */
export function spdxDocument({ name, content, created, packages }: SpdxWish): object {
  const listed = packages.map((one) => ({ id: `SPDXRef-Package-${sha256(one.url).slice(7, 23)}`, ...one }));
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: documentId,
    name,
    documentNamespace: `https://spdx.org/spdxdocs/berth-${sha256(`${content} ${created}`).slice(7, 43)}`,
    creationInfo: {
      creators: ['Tool: berth'],
      created: new Date(created).toISOString().replace(/\.\d+Z$/, 'Z'),
    },
    packages: [
      {
        name,
        SPDXID: rootId,
        versionInfo: content,
        downloadLocation: unknown,
        filesAnalyzed: false,
        primaryPackagePurpose: 'CONTAINER',
        licenseConcluded: unknown,
        licenseDeclared: unknown,
        copyrightText: unknown,
      },
      ...listed.map(spdxPackage),
    ],
    relationships: [
      { spdxElementId: documentId, relationshipType: 'DESCRIBES', relatedSpdxElement: rootId },
      ...listed.map(({ id }) => ({ spdxElementId: rootId, relationshipType: 'CONTAINS', relatedSpdxElement: id })),
    ],
  };
}

function spdxPackage(one: FoundPackage & { id: string }): object {
  const isKnown = one.license !== undefined && isExpression(one.license);
  return {
    name: one.name,
    SPDXID: one.id,
    versionInfo: one.version,
    ...(one.supplier && { supplier: one.supplier }),
    downloadLocation: unknown,
    filesAnalyzed: false,
    ...(one.homepage && /^https?:\/\/\S+$/.test(one.homepage) && { homepage: one.homepage }),
    sourceInfo: `acquired package info from ${one.list}: ${one.location}`,
    licenseConcluded: unknown,
    licenseDeclared: isKnown ? one.license : unknown,
    ...(one.license !== undefined && !isKnown && { licenseComments: `The package says: ${one.license}` }),
    copyrightText: unknown,
    ...(one.summary && { summary: one.summary }),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: one.url }],
  };
}

function isExpression(text: string): boolean {
  const words = text.replace(/[()]/g, ' ').trim().split(/\s+/);
  return words.every((word, index) => (index % 2 === 0 ? licenses.has(word) : word === 'AND' || word === 'OR'));
}
