import { defineCommand } from '../../command.ts';
import { engineAddress } from '../../config/host.ts';
import { ContextStore, defaultContext } from '../../contexts/store.ts';
import { renderListing } from '../../render/listing.ts';
import type { Listing } from '../../render/listing-fields.ts';

interface Row {
  name: string;
  description: string;
  host: string;
  isCurrent: boolean;
}

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: {
    format: { kind: 'string', help: `How to print: 'table', 'table TEMPLATE', 'json', or a Go template` },
    quiet: { kind: 'bool', short: 'q', help: 'Names only' },
  },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    const own: Row = {
      name: defaultContext,
      description: 'Current DOCKER_HOST based configuration',
      host: engineAddress(cli.environment),
      isCurrent: cli.context === defaultContext,
    };
    const named = (await new ContextStore(cli.configDirectory).list()).map((meta) => ({
      name: meta.Name,
      description: meta.Metadata.Description ?? '',
      host: meta.Endpoints.docker?.Host ?? '',
      isCurrent: cli.context === meta.Name,
    }));
    // The mark of the current one belongs to the table alone.
    const rows = [own, ...named].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
    const isTable = !options.quiet && (options.format === '' || options.format.startsWith('table'));
    const marked = rows.map((row) => (isTable && row.isCurrent ? { ...row, name: `${row.name} *` } : row));
    const columns = ['Name', 'Description', 'DockerEndpoint', 'Error'];
    const quiet = options.quiet ? 'Name' : undefined;
    await cli.out.write(await renderListing(listing, marked, { format: options.format, columns, quiet }));
    const variable = ['BERTH_HOST', 'DOCKER_HOST'].find((one) => cli.environment[one]);
    if (variable && cli.context === defaultContext)
      await cli.err.write(
        `Warning: ${variable} environment variable overrides the active context. To use a context, either set the global --context flag, or unset ${variable} environment variable.\n`,
      );
    return 0;
  },
});

const listing: Listing<Row> = {
  type: '*formatter.clientContextContext',
  fields: {
    Current: { header: 'CURRENT', text: (row) => String(row.isCurrent), json: (row) => row.isCurrent },
    Description: { header: 'DESCRIPTION', text: (row) => row.description },
    DockerEndpoint: { header: 'DOCKER ENDPOINT', text: (row) => row.host },
    Error: { header: 'ERROR', text: () => '' },
    Name: { header: 'NAME', text: (row) => row.name },
  },
};
