import { test } from 'bun:test';
import { checkDamagedDockerfiles } from '../support/damaged-dockerfiles.ts';

test('a hundred thousand damaged Dockerfiles: a plan, or an error with a line', () =>
  checkDamagedDockerfiles(100_000, Date.now()));
