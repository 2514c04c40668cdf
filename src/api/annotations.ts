/** What only Berth knows of a container travels as annotations: Docker's JSON has no place for it. */

/** What is done with a container that becomes unhealthy: one of `unhealthyActions`. */
export const onUnhealthyAnnotation = 'berth.on-unhealthy';

export const unhealthyActions = ['none', 'restart', 'stop', 'kill'] as const;
