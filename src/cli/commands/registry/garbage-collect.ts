import { defineCommand } from '../../command.ts';

/** What people call from a timer of their own; here it is the registry's own work. */
export const command = defineCommand({
  usage: '[OPTIONS] [CONFIG]',
  options: {
    'delete-untagged': { kind: 'bool', short: 'm', help: "As of Docker's registry; manifests without a tag stay here" },
    'dry-run': { kind: 'bool', short: 'd', help: "As of Docker's registry" },
    quiet: { kind: 'bool', short: 'q', help: 'Say nothing' },
  },
  words: { least: 0, most: 1 },
  complete: 'files',
  async run({ cli, options }) {
    if (!options.quiet)
      await cli.out.write(
        'Nothing to do: a registry frees what nobody needs while it runs (berth registry serve --gc-grace).\n',
      );
    return 0;
  },
});
