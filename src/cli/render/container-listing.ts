/** The fields of `ps`, in Docker's words. */
import type { ContainerSummary } from '../../api/types/container.ts';
import { humanSize } from '../../wire/size.ts';
import { humanDuration } from '../../wire/time.ts';
import type { Listing } from './listing-fields.ts';
import { formatPorts } from './ports.ts';
import { ellipsis, localTime, shortId } from './text.ts';

const commandLength = 20;
const mountLength = 15;

const rawContainer = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{.State}}
status: {{.Status}}
names: {{.Names}}
labels:{{if .Labels}} {{.Labels}}{{end}}
ports:{{if .Ports}} {{.Ports}}{{end}}
`;

/** @param truncate false: `--no-trunc` */
export function containerListing(truncate: boolean): Listing<ContainerSummary> {
  const labels = (item: ContainerSummary): Record<string, string> => item.Labels ?? {};
  return {
    type: '*formatter.ContainerContext',
    raw: rawContainer,
    templateProblem: (phase) => `failed to ${phase} template`,
    fields: {
      ID: { header: 'CONTAINER ID', text: (item) => (truncate ? shortId(item.Id) : item.Id) },
      Names: { header: 'NAMES', text: (item) => containerNames(item, truncate).join(',') },
      Image: { header: 'IMAGE', text: (item) => imageName(item, truncate) },
      Command: {
        header: 'COMMAND',
        text: ({ Command }) => JSON.stringify(truncate ? ellipsis(Command, commandLength) : Command),
      },
      CreatedAt: { header: 'CREATED AT', text: (item) => localTime(item.Created) },
      RunningFor: { header: 'CREATED', text: (item) => `${humanDuration(Date.now() - item.Created * 1000)} ago` },
      Ports: { header: 'PORTS', text: (item) => formatPorts(item.Ports ?? []) },
      State: { header: 'STATE', text: (item) => item.State },
      Status: { header: 'STATUS', text: (item) => item.Status },
      Size: { header: 'SIZE', text: containerSize },
      Labels: { header: 'LABELS', text: (item) => joinLabels(labels(item)) },
      Mounts: { header: 'MOUNTS', text: (item) => mountNames(item, truncate) },
      LocalVolumes: {
        header: 'LOCAL VOLUMES',
        text: (item) => String((item.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
      },
      Networks: {
        header: 'NETWORKS',
        text: (item) => Object.keys(item.NetworkSettings?.Networks ?? {}).join(','),
      },
      Platform: { header: 'PLATFORM', text: () => '', json: () => null },
    },
    label: (item, key) => labels(item)[key] ?? '',
  };
}

export function joinLabels(labels: Record<string, string> | null): string {
  return Object.keys(labels ?? {})
    .sort()
    .map((key) => `${key}=${labels?.[key]}`)
    .join(',');
}

/** Without links to others (`/a/b`) where names are shortened. */
function containerNames(item: ContainerSummary, truncate: boolean): string[] {
  const names = item.Names.map((name) => name.replace(/^\//, ''));
  return truncate ? names.filter((name) => !name.includes('/')) : names;
}

function imageName(item: ContainerSummary, truncate: boolean): string {
  const image = item.Image || '<no image>';
  if (!truncate) return image;
  if (/^sha256:[0-9a-f]{64}$/.test(image)) return shortId(image);
  if (/^[0-9a-f]{64}$/.test(image) && item.ImageID.endsWith(image)) return image.slice(0, 12);
  // A tag and a digest: the tag says enough.
  return image.replace(/^(.*:[^/@]+)@sha256:[0-9a-f]+$/, '$1').replace(/@sha256:[0-9a-f]+$/, '');
}

function containerSize(item: ContainerSummary): string {
  const own = humanSize(item.SizeRw ?? 0, 3);
  const all = item.SizeRootFs ?? 0;
  return all > 0 ? `${own} (virtual ${humanSize(all, 3)})` : own;
}

function mountNames(item: ContainerSummary, truncate: boolean): string {
  return (item.Mounts ?? [])
    .map((mount) => mount.Name || mount.Source)
    .map((name) => (truncate ? ellipsis(name, mountLength) : name))
    .join(',');
}
