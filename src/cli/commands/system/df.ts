import type { ContainerSummary } from '../../../api/types/container.ts';
import type { BuildCacheRecord, DiskUsage } from '../../../api/types/system.ts';
import { diskUsage } from '../../../client/system/disk-usage.ts';
import { humanSize } from '../../../wire/size.ts';
import { humanDuration } from '../../../wire/time.ts';
import { defineCommand } from '../../command.ts';
import { formatHelp } from '../../grammar/common.ts';
import { containerListing } from '../../render/container-listing.ts';
import { type ImageRow, imageListing, imageRows } from '../../render/image-listing.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';
import { renderTable } from '../../render/table.ts';
import { goTime } from '../../render/text.ts';
import { volumeListing } from '../volume/ls.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    format: { kind: 'string', help: formatHelp },
    verbose: { kind: 'bool', short: 'v', help: 'Every image, container and volume' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const usage = await diskUsage(cli.client);
    if (options.verbose)
      await cli.out.write(options.format ? await verboseObject(usage, options.format) : await verboseText(usage));
    else {
      const columns = ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'];
      await cli.out.write(await renderListing(summaryListing, summarize(usage), { format: options.format, columns }));
    }
    return 0;
  },
});

interface Summary {
  type: string;
  total: number;
  active: number;
  size: number;
  reclaimable: number;
}

function isActive(container: ContainerSummary): boolean {
  return ['running', 'paused', 'restarting'].includes(container.State);
}

function summarize(usage: DiskUsage): Summary[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = (usage.Volumes ?? []).map((volume) => ({
    size: volume.UsageData?.Size ?? 0,
    used: (volume.UsageData?.RefCount ?? 0) > 0,
  }));
  const builds = usage.BuildCache ?? [];
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + Math.max(0, number), 0);
  const layers = usage.LayersSize ?? 0;
  const used = sum(
    images
      .filter((image) => image.Containers > 0 && image.Size !== -1 && image.SharedSize !== -1)
      .map((image) => image.Size - image.SharedSize),
  );
  return [
    {
      type: 'Images',
      total: images.length,
      active: images.filter((image) => image.Containers > 0).length,
      size: layers,
      reclaimable: layers - used,
    },
    {
      type: 'Containers',
      total: containers.length,
      active: containers.filter(isActive).length,
      size: sum(containers.map((one) => one.SizeRw ?? 0)),
      reclaimable: sum(containers.filter((one) => !isActive(one)).map((one) => one.SizeRw ?? 0)),
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: volumes.filter((volume) => volume.used).length,
      size: sum(volumes.map((volume) => volume.size)),
      reclaimable: sum(volumes.filter((volume) => !volume.used).map((volume) => volume.size)),
    },
    {
      type: 'Build Cache',
      total: builds.length,
      active: builds.filter((build) => build.InUse).length,
      size: sum(builds.map((build) => build.Size)),
      reclaimable: sum(builds.filter((build) => !build.InUse && !build.Shared).map((build) => build.Size)),
    },
  ];
}

const summaryListing: Listing<Summary> = {
  type: '*formatter.diskUsageContext',
  raw: `type: {{.Type}}
total: {{.TotalCount}}
active: {{.Active}}
size: {{.Size}}
reclaimable: {{.Reclaimable}}
`,
  fields: {
    Type: { header: 'TYPE', text: (item) => item.type },
    TotalCount: { header: 'TOTAL', text: (item) => String(item.total) },
    Active: { header: 'ACTIVE', text: (item) => String(item.active) },
    Size: { header: 'SIZE', text: (item) => humanSize(item.size) },
    Reclaimable: {
      header: 'RECLAIMABLE',
      text: (item) => {
        const share = item.size > 0 ? ` (${Math.floor((item.reclaimable * 100) / item.size)}%)` : '';
        return `${humanSize(item.reclaimable)}${share}`;
      },
    },
  },
};

/** An image has one row here, under the first of its names. */
function verboseRows(usage: DiskUsage): ImageRow[] {
  return (usage.Images ?? []).flatMap((image) => imageRows([image], false).slice(0, 1));
}

function verboseListings(truncate: boolean): { images: Listing<ImageRow>; containers: Listing<ContainerSummary> } {
  const images = imageListing(truncate);
  images.fields['SharedSize'] = {
    header: 'SHARED SIZE',
    text: ({ image }) => humanSize(Math.max(0, image.SharedSize)),
  };
  const containers = containerListing(truncate);
  containers.fields['Size'] = { header: 'SIZE', text: (item) => humanSize(item.SizeRw ?? 0, 3) };
  return { images, containers };
}

/** `-v --format`: one object of four lists. */
async function verboseObject(usage: DiskUsage, format: string): Promise<string> {
  const [{ rowJson }, { renderObject }] = await Promise.all([
    import('../../render/listing-template.ts'),
    import('../../render/object.ts'),
  ]);
  const { images, containers } = verboseListings(false);
  const rows = <Item>(listing: Listing<Item>, items: readonly Item[]): unknown[] =>
    items.map((item) => JSON.parse(rowJson(listing, item)));
  const value = {
    Images: rows(images, verboseRows(usage)),
    Containers: rows(containers, usage.Containers ?? []),
    Volumes: rows(volumeListing, usage.Volumes ?? []),
    BuildCache: rows(buildCacheListing, usage.BuildCache ?? []),
  };
  const text = renderObject(value, format);
  return format === 'json' ? text : text.slice(0, -1);
}

const ago = (time: string): string => `${humanDuration(Date.now() - Date.parse(time))} ago`;

const buildCacheListing: Listing<BuildCacheRecord> = {
  type: '*formatter.buildCacheContext',
  fields: {
    ID: { header: 'CACHE ID', text: (item) => item.ID },
    Parent: { header: 'PARENT', text: () => '' },
    CacheType: { header: 'CACHE TYPE', text: (item) => item.Type },
    Description: { header: 'DESCRIPTION', text: (item) => item.Description },
    InUse: { header: 'IN USE', text: (item) => String(item.InUse) },
    Shared: { header: 'SHARED', text: (item) => String(item.Shared) },
    Size: { header: 'SIZE', text: (item) => humanSize(item.Size, 3) },
    CreatedAt: { header: 'CREATED AT', text: (item) => goTime(item.CreatedAt) },
    CreatedSince: { header: 'CREATED', text: (item) => ago(item.CreatedAt) },
    LastUsedAt: { header: 'LAST USED AT', text: (item) => (item.LastUsedAt ? goTime(item.LastUsedAt) : '') },
    LastUsedSince: { header: 'LAST USED', text: (item) => (item.LastUsedAt ? ago(item.LastUsedAt) : '') },
    UsageCount: { header: 'USAGE', text: (item) => String(item.UsageCount) },
  },
};

async function verboseText(usage: DiskUsage): Promise<string> {
  const { images, containers } = verboseListings(true);
  const imageColumns = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'];
  const containerColumns = ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'];
  const table = <Item>(listing: Listing<Item>, items: readonly Item[], columns: readonly string[]): Promise<string> =>
    renderListing(listing, items, { format: '', columns });
  return [
    `Images space usage:\n\n${await table(images, verboseRows(usage), imageColumns)}`,
    `Containers space usage:\n\n${await table(containers, usage.Containers ?? [], containerColumns)}`,
    `Local Volumes space usage:\n\n${await table(volumeListing, usage.Volumes ?? [], ['Name', 'Links', 'Size'])}`,
    buildCacheText(usage.BuildCache ?? []),
  ].join('\n');
}

function buildCacheText(builds: readonly BuildCacheRecord[]): string {
  const total = builds.reduce((sum, build) => sum + build.Size, 0);
  const rows = builds.map((build) => [
    build.ID.slice(0, 12),
    build.Type,
    humanSize(build.Size),
    ago(build.CreatedAt),
    build.LastUsedAt === null ? '' : ago(build.LastUsedAt),
    String(build.UsageCount),
    String(build.Shared),
  ]);
  const header = ['CACHE ID', 'CACHE TYPE', 'SIZE', 'CREATED', 'LAST USED', 'USAGE', 'SHARED'];
  return `Build cache usage: ${humanSize(total)}\n\n${renderTable([header, ...rows])}`;
}
