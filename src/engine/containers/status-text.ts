import { humanDuration } from '../../wire/time.ts';
import type { ContainerRecord } from './record.ts';

/** `Up 3 minutes (Paused)`, `Exited (0) 2 hours ago`: the column that people read. @param now Unix milliseconds */
export function statusText(record: ContainerRecord, now: number): string {
  const since = (time: string): string => humanDuration(Math.max(0, now - Date.parse(time)));
  switch (record.state) {
    case 'running':
      return `Up ${since(record.startedAt)}${healthText(record)}`;
    case 'paused':
      return `Up ${since(record.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${record.exitCode}) ${since(record.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return record.finishedAt.startsWith('0001')
        ? 'Created'
        : `Exited (${record.exitCode}) ${since(record.finishedAt)} ago`;
  }
}

function healthText({ health }: ContainerRecord): string {
  if (!health) return '';
  return health.Status === 'starting' ? ' (health: starting)' : ` (${health.Status})`;
}
