import type { SystemInfo } from '../../../api/types/system.ts';
import { engineInfo } from '../../../client/system/info.ts';
import { type Cli, defineCommand } from '../../command.ts';
import { describeError } from '../../describe-error.ts';
import { listPlugins, type PluginMetadata } from '../../plugins/plugins.ts';
import { infoText } from '../../render/info.ts';
import { compatibleVersion } from '../../version-text.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: { format: { kind: 'string', short: 'f', help: `How to print: 'json', or a Go template` } },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    let info: SystemInfo | undefined;
    let failure = '';
    try {
      info = await engineInfo(cli.client);
    } catch (error) {
      failure = describeError(error);
    }
    const { Plugins, warnings } = await clientPlugins(cli);
    const client = { Debug: false, Context: cli.context, Version: compatibleVersion, Plugins, Warnings: null };
    if (options.format !== '') {
      const { renderObject } = await import('../../render/object.ts');
      const errors = failure ? { ServerErrors: [failure] } : {};
      const names = options.format === 'json' ? {} : goNames(info);
      await cli.out.write(renderObject({ ...info, ...names, ...errors, ClientInfo: client }, options.format));
    } else {
      await cli.out.write(
        `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: false\n${pluginsText(Plugins)}\nServer:\n`,
      );
      for (const warning of warnings) await cli.err.write(`${warning}\n`);
      if (info) await cli.out.write(`${infoText(info)}\n`);
      for (const warning of info?.Warnings ?? []) await cli.err.write(`${warning}\n`);
    }
    if (!failure) return 0;
    await cli.err.write(`${failure}\n`);
    return 1;
  },
});

/** Templates name the fields of Docker's types; these are spelled differently in JSON. */
function goNames(info: SystemInfo | undefined) {
  return (
    info && {
      CPUCfsPeriod: info.CpuCfsPeriod,
      CPUCfsQuota: info.CpuCfsQuota,
      HTTPProxy: info.HttpProxy,
      HTTPSProxy: info.HttpsProxy,
    }
  );
}

type ClientPlugin = Partial<PluginMetadata> & { Name: string; Path: string };

async function clientPlugins(cli: Cli): Promise<{ Plugins: ClientPlugin[]; warnings: string[] }> {
  const all = await listPlugins(cli.configDirectory, cli.config);
  return {
    Plugins: all
      .filter(({ problem }) => problem === '')
      .map(({ name, path, metadata }) => ({ ...metadata, Name: name, Path: path })),
    warnings: all
      .filter(({ problem }) => problem !== '')
      .map(({ path, problem }) => `WARNING: Plugin ${JSON.stringify(path)} is not valid: ${problem}`),
  };
}

function pluginsText(plugins: readonly ClientPlugin[]): string {
  if (plugins.length === 0) return '';
  const parts = plugins.map(
    ({ Name, ShortDescription, Vendor, Version, Path }) =>
      `  ${Name}: ${ShortDescription ?? ''} (${Vendor})\n    Version:  ${Version ?? ''}\n    Path:     ${Path}\n`,
  );
  return ` Plugins:\n${parts.join('')}`;
}
