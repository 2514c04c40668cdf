/** Exec: wire types of Docker's API 1.52, with Docker's own keys. */

/** Body of `POST /containers/{id}/exec`. */
export interface ExecCreateRequest {
  /** Empty: the container's user. */
  User: string;
  Privileged: boolean;
  Tty: boolean;
  /** Rows, columns. Null: not given. */
  ConsoleSize: [number, number] | null;
  AttachStdin: boolean;
  AttachStderr: boolean;
  AttachStdout: boolean;
  /** Like `ctrl-p,ctrl-q`. Empty: the default. */
  DetachKeys: string;
  Env: string[] | null;
  /** Empty: the container's working directory. */
  WorkingDir: string;
  Cmd: string[] | null;
}

export interface ExecCreateResponse {
  /** 64 hex digits. */
  Id: string;
}

/** Body of `POST /exec/{id}/start`. */
export interface ExecStartRequest {
  Detach: boolean;
  Tty: boolean;
  /** Rows, columns. Null: not given. */
  ConsoleSize: [number, number] | null;
}

/** `GET /exec/{id}/json`. */
export interface ExecInspect {
  ID: string;
  Running: boolean;
  /** Null while it has not ended. */
  ExitCode: number | null;
  ProcessConfig: {
    tty: boolean;
    entrypoint: string;
    arguments: string[];
    privileged: boolean;
    user?: string;
  };
  OpenStdin: boolean;
  OpenStderr: boolean;
  OpenStdout: boolean;
  CanRemove: boolean;
  ContainerID: string;
  DetachKeys: string;
  /** Pid on the host; 0 before the start. */
  Pid: number;
}
