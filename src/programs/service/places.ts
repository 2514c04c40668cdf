/** Where the service has its files, below `/` or the root of another system. */
import { join } from 'node:path';

export const engineSocket = '/run/berth/berth.sock';
export const dockerSocketPath = '/run/docker.sock';
export const defaultGroup = 'berth';
export const configDirectory = '/etc/berth';
/** Where the program is copied to when it does not stand in a place of programs already. */
export const installedProgram = '/usr/local/bin/berth';

export class Places {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** True on the machine itself: its service manager and groups are changed too. */
  get live(): boolean {
    return this.root === '/';
  }
  get unit(): string {
    return join(this.root, '/etc/systemd/system/berth.service');
  }
  get socketUnit(): string {
    return join(this.root, '/etc/systemd/system/berth.socket');
  }
  /** Makes the link of /run/docker.sock at each boot, where nothing else has that name. */
  get temporaryFiles(): string {
    return join(this.root, '/etc/tmpfiles.d/berth.conf');
  }
  get program(): string {
    return join(this.root, installedProgram);
  }
  get wanted(): string {
    return join(this.root, '/etc/systemd/system/multi-user.target.wants/berth.service');
  }
  get wantedSocket(): string {
    return join(this.root, '/etc/systemd/system/sockets.target.wants/berth.socket');
  }
}
