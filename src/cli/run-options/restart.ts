import type { RestartPolicy } from '../../api/types/host-config.ts';

/** `on-failure:5` */
export function parseRestart(text: string): RestartPolicy {
  if (text === '') return { Name: '', MaximumRetryCount: 0 };
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const count = colon < 0 ? undefined : text.slice(colon + 1);
  if (name === '') throw new Error('invalid restart policy format: no policy provided before colon');
  if (count !== undefined && !/^-?\d+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  return { Name: name, MaximumRetryCount: Number(count ?? 0) };
}
