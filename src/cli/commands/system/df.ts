import type { ContainerSummary } from '../../../api/types/container.ts';
import type { BuildCacheRecord, DiskUsage } from '../../../api/types/system.ts';
import { diskUsage } from '../../../client/system/disk-usage.ts';
import { humanSize } from '../../../wire/size.ts';
import { humanDuration } from '../../../wire/time.ts';
import { defineCommand } from '../../command.ts';
import { formatHelp } from '../../grammar/common.ts';
import { containerListing } from '../../render/container-listing.ts';
import { imageListing, imageRows } from '../../render/image-listing.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';
import { renderTable } from '../../render/table.ts';
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
    if (options.verbose) await cli.out.write(await verboseText(usage));
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

async function verboseText(usage: DiskUsage): Promise<string> {
  const images = imageListing(true);
  images.fields['SharedSize'] = {
    header: 'SHARED SIZE',
    text: ({ image }) => humanSize(Math.max(0, image.SharedSize)),
  };
  const imageColumns = ['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize', 'Containers'];
  const containerColumns = ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'];
  const containers = containerListing(true);
  containers.fields['Size'] = { header: 'SIZE', text: (item) => humanSize(item.SizeRw ?? 0, 3) };
  const table = <Item>(listing: Listing<Item>, items: readonly Item[], columns: readonly string[]): Promise<string> =>
    renderListing(listing, items, { format: '', columns });
  return [
    `Images space usage:\n\n${await table(
      images,
      (usage.Images ?? []).flatMap((image) => imageRows([image], false).slice(0, 1)),
      imageColumns,
    )}`,
    `Containers space usage:\n\n${await table(containers, usage.Containers ?? [], containerColumns)}`,
    `Local Volumes space usage:\n\n${await table(volumeListing, usage.Volumes ?? [], ['Name', 'Links', 'Size'])}`,
    buildCacheText(usage.BuildCache ?? []),
  ].join('\n');
}

function buildCacheText(builds: readonly BuildCacheRecord[]): string {
  const total = builds.reduce((sum, build) => sum + build.Size, 0);
  const ago = (time: string): string => `${humanDuration(Date.now() - Date.parse(time))} ago`;
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
