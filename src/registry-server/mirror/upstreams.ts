/** The registries behind a pull-through cache: which one has a repository, and what it is told. */
import { readFile } from 'node:fs/promises';
import { BerthError } from '../../api/errors.ts';
import type { AuthConfig } from '../../api/types/image.ts';
import { type Credentials, credentialsOf } from '../../distribution/credentials.ts';
import { readMirrorAddress } from '../../distribution/registries.ts';
import { Repository } from '../../distribution/repository.ts';
import { Transport } from '../../distribution/transport.ts';
import { defaultDomain } from '../../oci/reference.ts';

interface Upstream {
  /** `docker.io`, `ghcr.io`: the first component of its repositories here. */
  name: string;
  url: URL;
  credentials: Credentials | null;
}

/** A repository of an upstream. */
export interface UpstreamRepository {
  /** Its name here. */
  local: string;
  remote: Repository;
}

/** Tokens of so many repositories are kept; the one that was asked longest ago goes first. */
const mostRepositories = 1000;

export class Upstreams {
  readonly #upstreams: Upstream[];
  readonly #repositories = new Map<string, Repository>();

  /**
   * @param mirrors `[NAME=]URL` each; the first is asked for names that begin with no upstream's
   * @param auths as in docker's config.json, by host. Each is sent to the upstream of that host and to nobody else.
   * Error: `invalid` for an address that is none.
   */
  constructor(mirrors: readonly string[], auths: Readonly<Record<string, Partial<AuthConfig>>>) {
    this.#upstreams = mirrors.map((mirror) => readUpstream(mirror, auths));
  }

  /** Null where no upstream can have it. @param named the registry that the client asked this cache to stand in for (`?ns=`) */
  find(repository: string, named: string | null): UpstreamRepository | null {
    const [first] = this.#upstreams;
    if (!first) return null;
    const slash = repository.indexOf('/');
    const prefix = slash < 0 ? '' : repository.slice(0, slash);
    const byPrefix = this.#upstreams.find((upstream) => folderOf(upstream) === prefix);
    if (byPrefix && named === null)
      return { local: repository, remote: this.#repository(byPrefix, repository.slice(slash + 1)) };
    const upstream = named === null ? first : this.#upstreams.find(({ name }) => name === named);
    if (!upstream) return null;
    // The first upstream's own need no prefix, but for those that would pass for another's.
    const local = upstream === first && !byPrefix ? repository : `${folderOf(upstream)}/${repository}`;
    return { local, remote: this.#repository(upstream, repository) };
  }

  #repository(upstream: Upstream, name: string): Repository {
    const isOfficial = upstream.name === defaultDomain && !name.includes('/');
    const path = isOfficial ? `library/${name}` : name;
    const key = `${upstream.name} ${path}`;
    const known = this.#repositories.get(key);
    if (known) {
      this.#repositories.delete(key);
      this.#repositories.set(key, known);
      return known;
    }
    const { url, credentials } = upstream;
    const isPlain = url.protocol === 'http:';
    const isInsecure = (host: string): boolean => isPlain && host === url.host;
    const base = url.origin + url.pathname.replace(/\/+$/, '');
    const repository = new Repository({
      endpoint: { base, isMirror: false, verify: !isPlain },
      path,
      credentials,
      transport: new Transport({ isInsecure, userAgent: 'berth-registry' }),
      isInsecure,
    });
    this.#repositories.set(key, repository);
    if (this.#repositories.size > mostRepositories)
      this.#repositories.delete(this.#repositories.keys().next().value as string);
    return repository;
  }
}

/** What its repositories begin with here: a name may have no colon. */
function folderOf({ name }: Upstream): string {
  return name.replaceAll(':', '-');
}

function readUpstream(mirror: string, auths: Readonly<Record<string, Partial<AuthConfig>>>): Upstream {
  const [, given, address = mirror] = /^([a-z0-9][a-z0-9.:-]*)=(.+)$/.exec(mirror) ?? [];
  const url = readMirrorAddress(address);
  const isHub = /(^|\.)docker\.io$/.test(url.hostname);
  const name = given ?? (isHub ? defaultDomain : url.host);
  const own = url.username && {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  const keys = [url.host, `https://${url.host}`, ...(isHub ? ['https://index.docker.io/v1/', defaultDomain] : [])];
  const known = keys.flatMap((key) => auths[key] ?? [])[0];
  return { name, url, credentials: credentialsOf(own || known || null) };
}

/** The `auths` of a file like docker's config.json. Error: `invalid`. */
export async function readAuths(path: string): Promise<Record<string, Partial<AuthConfig>>> {
  const text = await readFile(path, 'utf8');
  try {
    return (JSON.parse(text) as { auths?: Record<string, Partial<AuthConfig>> }).auths ?? {};
  } catch (cause) {
    throw new BerthError('invalid', `${path} is no JSON`, { cause });
  }
}
