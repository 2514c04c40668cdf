import type { VersionInfo } from '../../../api/types/system.ts';
import { defaultApiVersion } from '../../../client/client.ts';
import { engineVersion } from '../../../client/system/version.ts';
import { type Cli, defineCommand } from '../../command.ts';
import { describeError } from '../../describe-error.ts';
import { berthVersion, compatibleVersion } from '../../version-text.ts';

export const command = defineCommand({
  usage: '[OPTIONS]',
  options: { format: { kind: 'string', short: 'f', help: `How to print: 'json', or a Go template` } },
  words: { least: 0, most: 0 },
  async run({ cli, options }) {
    let server: VersionInfo | undefined;
    let failure: unknown;
    try {
      server = await engineVersion(cli.client);
    } catch (error) {
      failure = error;
    }
    const client = clientFacts(cli, server);
    if (options.format === '') await cli.out.write(versionText(client, server));
    else {
      const { renderObject } = await import('../../render/object.ts');
      const shown = options.format === 'json' ? { Client: client, Server: server ?? null } : byGoNames(client, server);
      await cli.out.write(renderObject(shown, options.format));
    }
    if (failure === undefined) return 0;
    await cli.err.write(`${describeError(failure)}\n`);
    return 1;
  },
});

type ClientFacts = Record<
  'Version' | 'ApiVersion' | 'DefaultAPIVersion' | 'GitCommit' | 'GoVersion' | 'Os' | 'Arch' | 'BuildTime' | 'Context',
  string
> & {
  Platform: { Name: string };
};

function clientFacts(cli: Cli, server: VersionInfo | undefined): ClientFacts {
  return {
    Platform: { Name: `Berth ${berthVersion}` },
    Version: compatibleVersion,
    ApiVersion:
      cli.environment['DOCKER_API_VERSION']?.replace(/^v/, '') ?? lowerVersion(defaultApiVersion, server?.ApiVersion),
    DefaultAPIVersion: defaultApiVersion,
    GitCommit: '',
    GoVersion: `bun${Bun.version}`,
    Os: process.platform,
    Arch: process.arch === 'x64' ? 'amd64' : process.arch,
    BuildTime: '',
    Context: cli.context,
  };
}

/** Templates name the fields of Docker's types, of which one is spelled differently in JSON. */
function byGoNames(client: ClientFacts, server: VersionInfo | undefined) {
  return {
    Client: { ...client, APIVersion: client.ApiVersion },
    Server: server ? { ...server, APIVersion: server.ApiVersion } : null,
  };
}

/** An engine that is older is spoken to in its own version. */
function lowerVersion(ours: string, theirs: string | undefined): string {
  if (theirs === undefined) return ours;
  return Number(theirs.split('.')[1]) < Number(ours.split('.')[1]) ? theirs : ours;
}

function line(label: string, value: string): string {
  return `${` ${label}:`.padEnd(19)} ${value}`.trimEnd();
}

function versionText(client: ClientFacts, server: VersionInfo | undefined): string {
  const api =
    client.ApiVersion === client.DefaultAPIVersion
      ? client.ApiVersion
      : `${client.ApiVersion} (downgraded from ${client.DefaultAPIVersion})`;
  const lines = [
    `Client: ${client.Platform.Name}`,
    line('Version', client.Version),
    line('API version', api),
    line('Runtime', client.GoVersion),
    line('OS/Arch', `${client.Os}/${client.Arch}`),
    line('Context', client.Context),
  ];
  if (server)
    lines.push('', `Server:${server.Platform?.Name ? ` ${server.Platform.Name}` : ''}`, ...serverLines(server));
  return `${lines.join('\n')}\n`;
}

/** What each component tells; the engine's own facts have words of their own. */
function serverLines(server: VersionInfo): string[] {
  return (server.Components ?? []).flatMap((component) => {
    const details = component.Details ?? {};
    if (component.Name !== 'Engine')
      return [
        ` ${component.Name}:`,
        componentLine('Version', component.Version),
        ...Object.entries(details).map(([key, value]) => componentLine(key, value)),
      ];
    return [
      ` ${component.Name}:`,
      componentLine('Version', component.Version),
      componentLine(
        'API version',
        `${details['ApiVersion'] ?? ''} (minimum version ${details['MinAPIVersion'] ?? ''})`,
      ),
      componentLine('Go version', details['GoVersion'] ?? ''),
      componentLine('Git commit', details['GitCommit'] ?? ''),
      componentLine('Built', builtText(details['BuildTime'] ?? '')),
      componentLine('OS/Arch', `${details['Os'] ?? ''}/${details['Arch'] ?? ''}`),
      componentLine('Experimental', details['Experimental'] ?? 'false'),
    ];
  });
}

/** As C's asctime has it; a text that is no time stays. */
function builtText(text: string): string {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  const [weekday, day, month, year, time] = date.toUTCString().replace(',', '').split(' ') as [
    string,
    string,
    string,
    string,
    string,
  ];
  return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
}

function componentLine(label: string, value: string): string {
  return `${`  ${label}:`.padEnd(20)}${value}`;
}
