// Made by scripts/gen-shim-protocol.ts: change it there.
export const protocol = {
  version: 1,
  // A frame: u32 payload length, u16 type, u16 request number (0: not a request), payload. Little endian.
  headerSize: 8,
  maxPayload: 1048576,
  idSize: 64,
  // First frame of a connection from the engine; each payload begins with the version, u16.
  openControl: 1,
  openAttach: 2,
  openExec: 3,
  // Requests on a control connection; each is answered by RESULT. An id of zeros is the container itself.
  signal: 16,
  resize: 17,
  truncateLog: 18,
  // What the shim says on every control connection.
  hello: 31,
  result: 32,
  started: 33,
  failed: 34,
  exited: 35,
  outOfMemory: 36,
  cleaned: 37,
  execStarted: 38,
  execFailed: 39,
  execExited: 40,
  // Stages of FAILED.
  stageSetup: 0,
  stageNetwork: 1,
  stageRuntime: 2,
  // Attach flags.
  attachStdin: 1,
  attachStdout: 2,
  attachStderr: 4,
  // Exec flags.
  execTerminal: 1,
  execDetached: 2,
} as const;
