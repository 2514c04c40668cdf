/** Shapes network replies for the API version that a client asked for. The engine gives today's types. */
import type { NetworkInspect } from '../types/network.ts';

export function shapeNetwork(network: NetworkInspect, version: number): unknown {
  if (version >= 48) return network;
  const { EnableIPv4: _enableIPv4, ...rest } = network;
  return rest;
}
