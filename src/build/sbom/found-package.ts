/** A package that is installed in a tree, as the tree itself says. */
export interface FoundPackage {
  name: string;
  version: string;
  /** Package URL. */
  url: string;
  /** The file that says so. */
  location: string;
  /** What kind of list it stands in, in words. */
  list: string;
  /** Whoever made the package: `Organization: …`, `Person: …`; absent: not known. */
  supplier?: string;
  license?: string;
  homepage?: string;
  summary?: string;
}

/** What a tree's os-release says; empty where it says nothing. */
export interface Distribution {
  id: string;
  version: string;
}

/** Paragraphs of `Field: value` (RFC 822), continued by lines that begin with a blank. */
export function* paragraphs(text: string): Generator<Map<string, string>> {
  let fields = new Map<string, string>();
  let last = '';
  for (const line of text.split('\n')) {
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      continue;
    }
    if (/^[ \t]/.test(line)) {
      fields.set(last, `${fields.get(last) ?? ''}\n${line.trim()}`);
      continue;
    }
    const separator = line.indexOf(':');
    if (separator < 0) continue;
    last = line.slice(0, separator).toLowerCase();
    // Of a field that stands more than once the first is kept.
    if (!fields.has(last)) fields.set(last, line.slice(separator + 1).trim());
  }
  if (fields.size > 0) yield fields;
}

/** The fields that have a value. */
export function known<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
