/** What the package managers of languages have written down. */
import { packageUrl } from '../export/package-url.ts';
import { type FoundPackage, known, paragraphs } from './found-package.ts';

/** `package.json` of a package in `node_modules`. */
export function nodePackage(text: string, location: string): FoundPackage[] {
  const json = readJson(text);
  const { name, version, license, homepage, description } = json;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '') return [];
  return [
    {
      ...nodeName(name, version),
      location,
      list: 'installed node module manifest file',
      ...known({
        license: typeof license === 'string' ? license : undefined,
        homepage: typeof homepage === 'string' ? homepage : undefined,
        summary: typeof description === 'string' ? description : undefined,
      }),
    },
  ];
}

/** `package-lock.json`, versions 1 to 3. What is for developing only is left out: it need not be there. */
export function lockedNodePackages(text: string, location: string): FoundPackage[] {
  const { packages, dependencies } = readJson(text);
  const entries = isObject(packages)
    ? Object.entries(packages).flatMap(([path, entry]): [string, unknown][] => {
        const at = path.lastIndexOf('node_modules/');
        return at < 0 ? [] : [[path.slice(at + 'node_modules/'.length), entry]];
      })
    : Object.entries(isObject(dependencies) ? dependencies : {});
  return entries.flatMap(([name, entry]): FoundPackage[] => {
    if (!isObject(entry) || typeof entry['version'] !== 'string' || entry['dev'] === true) return [];
    const { version, license } = entry as { version: string; license?: unknown };
    return [
      {
        ...nodeName(name, version),
        location,
        list: 'package-lock file',
        ...known({ license: typeof license === 'string' ? license : undefined }),
      },
    ];
  });
}

/** `METADATA` of a `.dist-info` folder, or `PKG-INFO` (https://packaging.python.org/en/latest/specifications/core-metadata/). */
export function pythonPackage(text: string, location: string): FoundPackage[] {
  const [fields] = paragraphs(text);
  const name = fields?.get('name');
  const version = fields?.get('version');
  if (!fields || !name || !version) return [];
  return [
    {
      name,
      version,
      location,
      list: 'installed python package manifest file',
      url: packageUrl({ type: 'pypi', name: name.toLowerCase().replaceAll('_', '-'), version }),
      ...known({
        license: fields.get('license-expression') ?? fields.get('license')?.split('\n', 1)[0],
        homepage: fields.get('home-page'),
        summary: fields.get('summary'),
        supplier: fields.get('author') && `Person: ${fields.get('author')}`,
      }),
    },
  ];
}

function nodeName(name: string, version: string): Pick<FoundPackage, 'name' | 'version' | 'url'> {
  const parts = name.split('/');
  const url = packageUrl({
    type: 'npm',
    namespace: parts.slice(0, -1).join('/'),
    name: parts.at(-1) as string,
    version,
  });
  return { name, version, url };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty for what is no JSON: a file of that name may be anything. */
function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
