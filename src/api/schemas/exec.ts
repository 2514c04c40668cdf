/** How exec bodies are read; see `wire/json-schema.ts`. */
import { boolean, list, nullable, pairOfUints, type Schema, string, struct } from '../../wire/json-schema.ts';
import type { ExecCreateRequest, ExecStartRequest } from '../types/exec.ts';

/** Body of `POST /containers/{id}/exec`. */
export const execCreateRequest: Schema<ExecCreateRequest> = struct<ExecCreateRequest>('container.ExecOptions', {
  User: string,
  Privileged: boolean,
  Tty: boolean,
  ConsoleSize: nullable(pairOfUints),
  AttachStdin: boolean,
  AttachStderr: boolean,
  AttachStdout: boolean,
  DetachKeys: string,
  Env: list(string),
  WorkingDir: string,
  Cmd: list(string),
});

/** Body of `POST /exec/{id}/start`. */
export const execStartRequest: Schema<ExecStartRequest> = struct<ExecStartRequest>('container.ExecStartOptions', {
  Detach: boolean,
  Tty: boolean,
  ConsoleSize: nullable(pairOfUints),
});
