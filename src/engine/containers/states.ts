/**
 * A container's life as a table. Each verb says in which states it may begin and which words refuse it elsewhere; nothing in the
 * engine changes a state in any other way.
 */
import { BerthError } from '../../api/errors.ts';

export const containerStates = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const;
export type ContainerState = (typeof containerStates)[number];

/** What can happen to a container, by a user's wish or by itself. */
export type Transition =
  | 'start'
  | 'pause'
  | 'unpause'
  | 'revive'
  | 'exit'
  | 'await-restart'
  | 'give-up-restart'
  | 'remove'
  | 'fail-remove';

/**
 * From each state, the transitions that are legal and where they lead. `removing` and `dead` are left by removal only.
 * `exit` from `removing` is the death of a container that `rm -f` killed, from `dead` of one that it could not kill.
 */
const table: Record<ContainerState, Partial<Record<Transition, ContainerState>>> = {
  created: { start: 'running', remove: 'removing' },
  running: { pause: 'paused', exit: 'exited', 'await-restart': 'restarting', remove: 'removing' },
  paused: { unpause: 'running', exit: 'exited', 'await-restart': 'restarting', remove: 'removing' },
  restarting: { revive: 'running', 'give-up-restart': 'exited', remove: 'removing' },
  exited: { start: 'running', remove: 'removing' },
  removing: { exit: 'removing', remove: 'removing', 'fail-remove': 'dead' },
  dead: { exit: 'dead', remove: 'removing', 'fail-remove': 'dead' },
};

/** The state after `transition`, or null where it is illegal. */
export function nextState(state: ContainerState, transition: Transition): ContainerState | null {
  return table[state][transition] ?? null;
}

/** Docker's words for a refused verb, by the state that the container is in. `target` is how the client named it. */
export function refusal(
  state: ContainerState,
  transition: Transition,
  names: { id: string; target: string },
): BerthError {
  if (state === 'removing' || state === 'dead') {
    if (transition === 'start')
      return new BerthError('conflict', 'container is marked for removal and cannot be started');
    if (transition === 'remove')
      return new BerthError('conflict', `removal of container ${names.target} is already in progress`);
  }
  switch (transition) {
    case 'start':
      return state === 'paused'
        ? new BerthError('conflict', 'cannot start a paused container, try unpause instead')
        : new BerthError('not-modified', 'container is already running');
    case 'pause':
      if (state === 'paused') return new BerthError('conflict', `Container ${names.id} is already paused`);
      if (state === 'restarting')
        return new BerthError('conflict', `Container ${names.id} is restarting, wait until the container is running`);
      return notRunning(names.id);
    case 'unpause':
      return new BerthError('internal', `Container ${names.id} is not paused`);
    default:
      return new BerthError('internal', `container ${names.id} cannot go through "${transition}" while it is ${state}`);
  }
}

/** What most verbs answer for a container that does not run. */
export function notRunning(id: string): BerthError {
  return new BerthError('conflict', `container ${id} is not running`);
}

/** What Docker calls `State.Running`: there is a first process, or there will be one again as soon as its restart is due. */
export function isRunning(state: ContainerState): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting';
}

/** True while there is a first process to talk to. */
export function isAlive(state: ContainerState): boolean {
  return state === 'running' || state === 'paused';
}
