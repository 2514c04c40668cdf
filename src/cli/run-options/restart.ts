import type { RestartPolicy } from '../../api/types/host-config.ts';

/** `on-failure:5` */
export function parseRestart(text: string): RestartPolicy {
  if (text === '') return { Name: '', MaximumRetryCount: 0 };
  const [name = '', count, ...more] = text.split(':');
  if (name === '') throw new Error('invalid restart policy format: no policy provided before colon');
  if (more.length > 0) throw new Error('invalid restart policy format');
  if (count !== undefined && !/^-?\d+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name, MaximumRetryCount: Number(count ?? 0) };
}
