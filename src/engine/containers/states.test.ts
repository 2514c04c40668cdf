import { describe, expect, test } from 'bun:test';
import { BerthError } from '../../api/errors.ts';
import { Container } from './container.ts';
import { newTestRecord } from './fake-engine.ts';
import { type ContainerState, containerStates, nextState, refusal, type Transition } from './states.ts';

const transitions: Transition[] = [
  'start',
  'revive',
  'pause',
  'unpause',
  'exit',
  'await-restart',
  'give-up-restart',
  'remove',
  'fail-remove',
];

/** Every legal cell; each other one must be refused. */
const legal: Record<ContainerState, Partial<Record<Transition, ContainerState>>> = {
  created: { start: 'running', remove: 'removing' },
  running: { pause: 'paused', exit: 'exited', 'await-restart': 'restarting', remove: 'removing' },
  paused: { unpause: 'running', exit: 'exited', 'await-restart': 'restarting', remove: 'removing' },
  restarting: { revive: 'running', 'give-up-restart': 'exited', remove: 'removing' },
  removing: { exit: 'removing', remove: 'removing', 'fail-remove': 'dead' },
  exited: { start: 'running', remove: 'removing' },
  dead: { exit: 'dead', remove: 'removing', 'fail-remove': 'dead' },
};

describe('every cell of the state table', () => {
  for (const state of containerStates) {
    for (const transition of transitions) {
      const expected = legal[state][transition] ?? null;
      test(`${state} × ${transition} → ${expected ?? 'refused'}`, () => {
        expect(nextState(state, transition)).toBe(expected);
        const container = new Container({ ...newTestRecord(), state });
        if (expected === null) {
          expect(() => container.move(transition, 'web')).toThrow(BerthError);
          expect(container.state).toBe(state);
        } else {
          container.move(transition, 'web');
          expect(container.state).toBe(expected);
        }
      });
    }
  }
});

describe('refusals have dockerd’s words', () => {
  const names = { id: 'f00', target: 'web' };
  const cases: [ContainerState, Transition, string, string][] = [
    ['running', 'start', 'not-modified', 'container is already running'],
    ['restarting', 'start', 'not-modified', 'container is already running'],
    ['paused', 'start', 'conflict', 'cannot start a paused container, try unpause instead'],
    ['removing', 'start', 'conflict', 'container is marked for removal and cannot be started'],
    ['dead', 'start', 'conflict', 'container is marked for removal and cannot be started'],
    ['paused', 'pause', 'conflict', 'Container f00 is already paused'],
    ['restarting', 'pause', 'conflict', 'Container f00 is restarting, wait until the container is running'],
    ['exited', 'pause', 'conflict', 'container f00 is not running'],
    ['created', 'pause', 'conflict', 'container f00 is not running'],
    ['running', 'unpause', 'internal', 'Container f00 is not paused'],
  ];
  for (const [state, transition, kind, message] of cases) {
    test(`${transition} of a ${state} one`, () => {
      const error = refusal(state, transition, names);
      expect<string>(error.kind).toBe(kind);
      expect(error.message).toBe(message);
    });
  }
});
