import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/host-config.ts';

/** Annotation that says what is done with a container that became unhealthy. */
export const onUnhealthyAnnotation = 'berth.on-unhealthy';

const actions = ['none', 'restart', 'stop', 'kill'] as const;
export type UnhealthyAction = (typeof actions)[number];

/** What the container's annotation asks for. Error: `invalid` for another word. */
export function unhealthyAction(host: Pick<HostConfig, 'Annotations'>): UnhealthyAction {
  const wanted = host.Annotations?.[onUnhealthyAnnotation];
  if (wanted === undefined) return 'none';
  const action = actions.find((known) => known === wanted);
  if (action) return action;
  throw new BerthError(
    'invalid',
    `invalid value "${wanted}" for ${onUnhealthyAnnotation}: must be one of ${actions.join(', ')}`,
  );
}
