import { expect, test } from 'bun:test';
import { readUnit, serviceUnit, socketUnit, type UnitPlan } from './units.ts';

const plan: UnitPlan = {
  command: ['/usr/local/bin/berth'],
  group: 'berth',
  socketActivation: false,
  madeGroup: true,
  copiedProgram: false,
};

test.each([
  {},
  { group: 'staff', socketActivation: true },
  { command: ['/opt/50%/$x/bun', '/opt/a b/berth.ts'], copiedProgram: true, madeGroup: false },
])('what is written is read again: %j', (change) => {
  expect(readUnit(serviceUnit({ ...plan, ...change }))).toEqual({ ...plan, ...change });
});

test('no flag that a key of daemon.json could contradict', () => {
  expect(serviceUnit(plan)).toContain('\nExecStart=/usr/local/bin/berth daemon\n');
  expect(serviceUnit({ ...plan, socketActivation: true })).toContain('\nExecStart=/usr/local/bin/berth daemon\n');
  expect(serviceUnit({ ...plan, group: 'staff' })).toContain('\nExecStart=/usr/local/bin/berth daemon --group staff\n');
});

test('the socket is the group’s', () => {
  expect(socketUnit('staff')).toContain('\nSocketMode=0660\nSocketUser=root\nSocketGroup=staff\n');
});
