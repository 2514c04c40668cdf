import { defineOptions } from './grammar/options.ts';

const noSwarm = 'cluster volumes are a part of Swarm, which is not part of Berth';
const refused = { kind: 'string', hidden: true, refused: noSwarm, help: 'Of cluster volumes' } as const;

/** Flags of `volume create` that only Swarm's volumes have. */
export const clusterOptions = defineOptions({
  availability: refused,
  group: refused,
  'limit-bytes': refused,
  'required-bytes': refused,
  scope: refused,
  secret: refused,
  sharing: refused,
  'topology-preferred': refused,
  'topology-required': refused,
  type: refused,
});

/** `--cluster` of lists. */
export const clusterOption = defineOptions({
  cluster: { kind: 'bool', hidden: true, refused: noSwarm, help: 'Cluster volumes too' },
});
