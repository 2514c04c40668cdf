/** `--link` on the default bridge: names in /etc/hosts and variables. On other networks the resolver knows links. */
import { BerthError, errorMessage } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/container.ts';
import type { LinkedHost } from '../networks/types.ts';
import type { Container } from './container.ts';
import type { ContainerIndex } from './container-index.ts';
import type { ContainerContext } from './context.ts';
import { linkVariables } from './spec/link-variables.ts';

type Index = Pick<ContainerIndex, 'find' | 'byId'>;

/** `name:alias`, a name alone, or what inspect shows: `/name:/container/alias`. */
function parseLink(text: string): { name: string; alias: string } {
  const [name = '', alias = name, ...rest] = text.split(':');
  if (name === '' || alias === '' || rest.length > 0) throw new BerthError('invalid', `bad format for links: ${text}`);
  return { name: name.replace(/^\//, ''), alias: alias.slice(alias.lastIndexOf('/') + 1) };
}

/**
 * Links as the record keeps them, `<id>:alias`: they follow a container that is renamed.
 * Error: `invalid` in dockerd's words for a container that is not there.
 */
export function enterLinks(hostConfig: HostConfig, index: Index): void {
  if (!isOnDefaultBridge(hostConfig) || !hostConfig.Links?.length) return;
  hostConfig.Links = hostConfig.Links.map((text) => {
    const { name, alias } = parseLink(text);
    try {
      return `${index.find(name).id}:${alias}`;
    } catch (cause) {
      throw new BerthError('invalid', `could not get container for ${name}: ${errorMessage(cause)}`, { cause });
    }
  });
}

function isOnDefaultBridge({ NetworkMode }: HostConfig): boolean {
  return NetworkMode === 'bridge' || NetworkMode === 'default' || NetworkMode === '';
}

interface Link {
  child: Container;
  alias: string;
}

/** Those to containers that are still there. */
function linksOf({ record }: Container, index: Index): Link[] {
  if (!isOnDefaultBridge(record.hostConfig)) return [];
  return (record.hostConfig.Links ?? []).flatMap((text) => {
    const { name, alias } = parseLink(text);
    const child = index.byId(name);
    return child ? [{ child, alias }] : [];
  });
}

/** As inspect shows them: `/child:/container/alias`. */
export function shownLinks(container: Container, index: Index): string[] | null {
  const { hostConfig, name } = container.record;
  if (!isOnDefaultBridge(hostConfig)) return hostConfig.Links;
  const shown = linksOf(container, index).map(({ child, alias }) => `/${child.record.name}:/${name}/${alias}`);
  return shown.length > 0 ? shown : null;
}

/** Further names of a container, `/parent/alias`, that others gave it. */
export function linkNames(index: ContainerIndex): Map<Container, string[]> {
  const names = new Map<Container, string[]>();
  for (const parent of index.all()) {
    for (const { child, alias } of linksOf(parent, index))
      names.set(child, [...(names.get(child) ?? []), `/${parent.record.name}/${alias}`]);
  }
  return names;
}

/** Takes the link `parent/alias` away. Error: `not-found`, `invalid` for what is no link's name. */
export function removeLink(context: ContainerContext, reference: string): void {
  const [parentName = '', alias = '', ...rest] = reference.replace(/^\//, '').split('/');
  if (parentName === '' || alias === '' || rest.length > 0)
    throw new BerthError('invalid', 'Conflict, cannot remove the default link name of the container');
  const parent = context.index.find(parentName);
  const { hostConfig } = parent.record;
  const kept = (hostConfig.Links ?? []).filter((text) => parseLink(text).alias !== alias);
  if (kept.length === (hostConfig.Links ?? []).length)
    throw new BerthError('not-found', `Cannot get parent /${parentName} for link ${reference}`);
  const gone = linksOf(parent, context.index).find((link) => link.alias === alias);
  hostConfig.Links = kept;
  context.saveFact(parent);
  if (gone && parent.pid !== 0) relink(context, parent, { host: linkedHost(gone), address: null });
}

/**
 * What the container's /etc/hosts says of those it is linked to.
 * Error: `invalid` in dockerd's words when one does not run.
 */
export function linkedHosts(container: Container, index: Index): LinkedHost[] {
  return linksOf(container, index).map((link) => {
    if (link.child.pid === 0)
      throw new BerthError(
        'invalid',
        `Cannot link to a non running container: /${link.child.record.name} AS /${container.record.name}/${link.alias}`,
      );
    return linkedHost(link);
  });
}

function linkedHost({ child, alias }: Link): LinkedHost {
  const { name, config } = child.record;
  const names = [alias, config.Hostname, ...(alias === name ? [] : [name])].join(' ');
  return { names, address: addressOf(child) };
}

function addressOf({ record }: Container): string {
  return record.sandbox?.networks['bridge']?.IPAddress ?? '';
}

/** The variables of links to containers that run. */
export function linkEnvironment(container: Container, index: Index): string[] {
  return linksOf(container, index).flatMap(({ child, alias }) => {
    const address = addressOf(child);
    if (address === '') return [];
    const { config } = child.record;
    const ports = Object.keys(config.ExposedPorts ?? {});
    return linkVariables({
      alias,
      address,
      ports,
      name: `/${container.record.name}/${alias}`,
      variables: config.Env ?? [],
    });
  });
}

/** A container started, with another address than before maybe: those that are linked to it hear of it. */
export function tellParents(context: ContainerContext, child: Container): void {
  for (const parent of context.index.all()) {
    if (parent.pid === 0 || parent === child) continue;
    for (const link of linksOf(parent, context.index)) {
      if (link.child !== child) continue;
      const host = linkedHost(link);
      relink(context, parent, { host, address: host.address });
    }
  }
}

/** Tells a running container where one that it is linked to is now; null: nowhere. */
function relink(context: ContainerContext, parent: Container, to: { host: LinkedHost; address: string | null }): void {
  const { networks, report } = context.dependencies;
  networks.relink(parent.id, to.host, to.address).catch((error: unknown) => report('tell of a link', error));
}
