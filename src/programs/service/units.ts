/** The files of the service: systemd.unit(5), systemd.service(5), systemd.socket(5), tmpfiles.d(5). */
import { reckonedMemory, reckonedMemoryVariable } from '../../host/process/small-heap.ts';
import { defaultGroup, dockerSocketPath, engineSocket } from './places.ts';

export interface UnitPlan {
  /** argv of the program. */
  command: readonly string[];
  group: string;
  socketActivation: boolean;
  /** What `uninstall` takes away again. */
  madeGroup: boolean;
  copiedProgram: boolean;
}

/**
 * The engine's unit. Containers outlive the engine (`KillMode=process`), make cgroups of their own (`Delegate`) and are not counted as
 * the engine's tasks. The last section is read by `berth service` only.
 */
export function serviceUnit({ command, group, socketActivation, madeGroup, copiedProgram }: UnitPlan): string {
  // No flag that is not needed: a key of daemon.json may not be a flag at the same time.
  const argv = [...command, 'daemon', ...(group === defaultGroup ? [] : ['--group', group])].map(quoted).join(' ');
  return `[Unit]
Description=Berth container engine
After=network-online.target nss-lookup.target time-set.target${socketActivation ? ' berth.socket' : ''}
Wants=network-online.target
${socketActivation ? 'Requires=berth.socket\n' : ''}StartLimitBurst=10
StartLimitIntervalSec=60

[Service]
Type=notify
ExecStart=${argv}
Environment=${reckonedMemoryVariable}=${reckonedMemory}
ExecReload=/bin/kill -s HUP $MAINPID
TimeoutStartSec=0
Restart=always
RestartSec=2
KillMode=process
Delegate=yes
TasksMax=infinity
LimitNPROC=infinity
LimitCORE=infinity
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target

[X-Berth]
MadeGroup=${madeGroup}
CopiedProgram=${copiedProgram}
`;
}

export function socketUnit(group: string): string {
  return `[Unit]
Description=Socket of the Berth container engine

[Socket]
ListenStream=${engineSocket}
SocketMode=0660
SocketUser=root
SocketGroup=${group}
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`;
}

export function temporaryFiles(): string {
  return `L ${dockerSocketPath} - - - - ${engineSocket}\n`;
}

/** What a unit that `serviceUnit` wrote says. */
export function readUnit(text: string): UnitPlan {
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1] ?? '';
  const flag = (argv: readonly string[], name: string): string | undefined =>
    argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined;
  const argv = (value('ExecStart').match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map(unquoted);
  const daemon = argv.indexOf('daemon');
  return {
    command: argv.slice(0, Math.max(daemon, 0)),
    group: flag(argv, '--group') ?? defaultGroup,
    socketActivation: value('Requires') === 'berth.socket',
    madeGroup: value('MadeGroup') === 'true',
    copiedProgram: value('CopiedProgram') === 'true',
  };
}

/** `%` and `$` mean something to systemd. */
function quoted(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, '\\$&')}"`;
}

function unquoted(word: string): string {
  const bare = word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word;
  return bare.replaceAll('%%', '%').replaceAll('$$', '$');
}
