/** What commands about this machine need of the engine's side; `programs/host` has it. */

export interface InstallOptions {
  /** Where the files go; `/`: this machine, whose service manager is told. */
  root: string;
  /** Group that may use the socket; made where it is not there. */
  group: string;
  /** Link /run/docker.sock to the engine's socket, where nothing is there. */
  dockerSocket: boolean;
  /** The service manager opens the socket and starts the engine at the first call. */
  socketActivation: boolean;
  /** Start it now. */
  start: boolean;
}

export interface UninstallOptions {
  root: string;
  /** Containers, images, volumes and the configuration too. */
  purge: boolean;
}

export interface ServiceStatus {
  installed: boolean;
  /** As systemd says it: `active`, `inactive`, `failed`; empty without systemd. */
  state: string;
  /** Starts with the machine. */
  enabled: boolean;
  /** Of the engine that runs; 0: none. */
  pid: number;
  program: string;
  group: string;
  /** Members of that group. */
  members: string[];
  socket: string;
  dockerSocket: boolean;
  socketActivation: boolean;
}

/** One thing that the engine needs or can use. */
export interface Finding {
  name: string;
  /** `missing`: the engine works, without what this gives. `broken`: it does not work, or not well. */
  state: 'ok' | 'missing' | 'broken';
  /** What was found. */
  detail: string;
  /** What it gives, or would give. */
  gives: string;
  /** What to do about it; empty where all is well. */
  remedy: string;
}

export interface HostProgram {
  /** Told of each step in a line. Errors: `forbidden` for others than root, `unavailable` without systemd. */
  install(options: InstallOptions, say: (line: string) => void): Promise<void>;
  uninstall(options: UninstallOptions, say: (line: string) => void): Promise<void>;
  status(root: string): Promise<ServiceStatus>;
  /** @param socket of the engine that is meant; empty: this machine's own */
  examine(socket: string): Promise<Finding[]>;
  /** Starts this machine's engine, by its unit where one is installed. Resolves once its socket answers. Error: `unavailable`. */
  startEngine(): Promise<void>;
}
