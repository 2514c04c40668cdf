import { updateContainer } from '../../../client/containers/update.ts';
import { forEachName } from '../../batch.ts';
import { defineCommand, ExitStatus } from '../../command.ts';
import { parseRestart } from '../../run-options/restart.ts';
import { containerOptions } from '../../run-options/table.ts';

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  options: {
    'blkio-weight': containerOptions['blkio-weight'],
    'cpu-period': containerOptions['cpu-period'],
    'cpu-quota': containerOptions['cpu-quota'],
    'cpu-rt-period': containerOptions['cpu-rt-period'],
    'cpu-rt-runtime': containerOptions['cpu-rt-runtime'],
    'cpu-shares': containerOptions['cpu-shares'],
    cpus: containerOptions.cpus,
    'cpuset-cpus': containerOptions['cpuset-cpus'],
    'cpuset-mems': containerOptions['cpuset-mems'],
    'kernel-memory': { kind: 'bytes', hidden: true, help: 'Limit of kernel memory' },
    memory: containerOptions.memory,
    'memory-reservation': containerOptions['memory-reservation'],
    'memory-swap': containerOptions['memory-swap'],
    'pids-limit': containerOptions['pids-limit'],
    restart: { kind: 'string', help: 'What to do at its end: no, on-failure[:COUNT], always or unless-stopped' },
  },
  words: { least: 1 },
  complete: 'all-containers',
  async run({ cli, options, given, words }) {
    if (given.size === 0) throw new ExitStatus(1, 'you must provide one or more flags when using this command');
    const body = {
      BlkioWeight: options['blkio-weight'],
      CpuPeriod: options['cpu-period'],
      CpuQuota: options['cpu-quota'],
      CpuRealtimePeriod: options['cpu-rt-period'],
      CpuRealtimeRuntime: options['cpu-rt-runtime'],
      CpuShares: options['cpu-shares'],
      NanoCpus: options.cpus,
      CpusetCpus: options['cpuset-cpus'],
      CpusetMems: options['cpuset-mems'],
      Memory: options.memory,
      MemoryReservation: options['memory-reservation'],
      MemorySwap: options['memory-swap'],
      ...(given.has('pids-limit') && { PidsLimit: options['pids-limit'] }),
      RestartPolicy: parseRestart(options.restart),
    };
    const warnings: string[] = [];
    const status = await forEachName(cli, words, async (name) => {
      const { Warnings } = await updateContainer(cli.client, name, body);
      warnings.push(...(Warnings ?? []));
      return name;
    });
    if (warnings.length > 0) await cli.out.write(`${warnings.join('\n')}\n`);
    return status;
  },
});
