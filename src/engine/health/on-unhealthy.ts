import { onUnhealthyAnnotation, unhealthyActions } from '../../api/annotations.ts';
import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/types/host-config.ts';

export type UnhealthyAction = (typeof unhealthyActions)[number];

/** What the container's annotation asks for. Error: `invalid` for another word. */
export function unhealthyAction(host: Pick<HostConfig, 'Annotations'>): UnhealthyAction {
  const wanted = host.Annotations?.[onUnhealthyAnnotation];
  if (wanted === undefined) return 'none';
  const action = unhealthyActions.find((known) => known === wanted);
  if (action) return action;
  throw new BerthError(
    'invalid',
    `invalid value "${wanted}" for ${onUnhealthyAnnotation}: must be one of ${unhealthyActions.join(', ')}`,
  );
}
