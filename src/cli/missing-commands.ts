/** Commands of Docker that Berth knows by name but does not have: each is answered by one line, never as an unknown word. */

const notYet = 'not supported yet';
const oneBuilder = 'the one builder is part of the engine; an installed docker-buildx plugin knows others';
const noSwarm = 'Swarm is not part of Berth; compose and Kubernetes take its place';
const noPlugins = 'plugins of the engine are not part of Berth; volume, network and log drivers are built in';

const missing: Record<string, string> = {
  'buildx bake': notYet,
  'buildx create': oneBuilder,
  'buildx du': notYet,
  'buildx imagetools': notYet,
  'buildx inspect': oneBuilder,
  'buildx ls': oneBuilder,
  'buildx rm': oneBuilder,
  'buildx stop': oneBuilder,
  'buildx use': oneBuilder,
  'buildx version': oneBuilder,
  checkpoint: notYet,
  compose: notYet,
  config: noSwarm,
  node: noSwarm,
  plugin: noPlugins,
  secret: noSwarm,
  'service create': noSwarm,
  'service inspect': noSwarm,
  'service logs': noSwarm,
  'service ls': noSwarm,
  'service ps': noSwarm,
  'service rm': noSwarm,
  'service rollback': noSwarm,
  'service scale': noSwarm,
  'service update': noSwarm,
  stack: noSwarm,
  swarm: noSwarm,
  trust: 'signatures in the style of Docker Content Trust are not part of Berth; images are checked by their digests',
  'volume update': noSwarm,
};

/** @param words like `swarm` or `container cp`; undefined: no command of Docker */
export function missingCommand(words: string): string | undefined {
  return Object.hasOwn(missing, words) ? missing[words] : undefined;
}
