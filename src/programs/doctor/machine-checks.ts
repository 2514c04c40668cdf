/** Programs, disk, limits and reach of this machine. */
import type { Finding } from '../../cli/host-program.ts';
import { humanSize } from '../../wire/size.ts';
import type { DaemonConfig } from '../daemon/config.ts';
import { broken, finding, fine, missing } from './kernel-checks.ts';
import type { Probe, Space } from './probe.ts';

export async function checkRuntime(probe: Probe): Promise<Finding> {
  for (const name of ['crun', 'runc']) {
    const version = await probe.output([name, '--version']);
    if (version !== null) return finding('runtime', 'containers', fine(version.split('\n')[0] as string));
  }
  return finding('runtime', 'containers', broken('no OCI runtime is installed', 'apt install crun'));
}

/** What a program gives that is not needed for containers as such. */
const programs: [name: string, gives: string, remedy: string][] = [
  ['iptables', 'a way through the FORWARD rules of firewalls that were made with it', 'apt install iptables'],
  ['debootstrap', 'base images from Debian packages: berth image bootstrap', 'apt install debootstrap'],
  ['git', 'builds from repositories', 'apt install git'],
  ['tar', 'berth cp', 'apt install tar'],
  ['ssh', 'engines on other machines: -H ssh://', 'apt install openssh-client'],
];

export async function checkPrograms(probe: Probe): Promise<Finding[]> {
  return await Promise.all(
    programs.map(async ([name, gives, remedy]) => {
      const path = await probe.program(name);
      return finding(name, gives, path ? fine(path) : missing('not installed', remedy));
    }),
  );
}

/** Below this share, or this much, the next pull or build may fail. */
const leastShare = 0.05;
const leastBytes = 1e9;

export async function checkDisk(probe: Probe, dataRoot: string): Promise<Finding> {
  const gives = 'images, containers and volumes';
  const space = await probe.space(dataRoot);
  if (!space) return finding('disk', gives, broken(`${dataRoot} cannot be looked at`, `see what is at ${dataRoot}`));
  const detail = `${humanSize(space.freeBytes)} free of ${humanSize(space.bytes)} for ${dataRoot}`;
  const remedy = 'berth system prune, or a data-root on a larger disk';
  return finding('disk', gives, isShort(space) ? broken(detail, remedy) : fine(detail));
}

function isShort({ bytes, freeBytes, inodes, freeInodes }: Space): boolean {
  return freeBytes < leastBytes || freeBytes < bytes * leastShare || (inodes > 0 && freeInodes < inodes * leastShare);
}

/** What programs in containers share with all others of their user. */
export async function checkLimits(probe: Probe): Promise<Finding[]> {
  const number = async (path: string): Promise<number> => Number((await probe.read(path)) ?? 0);
  const instances = await number('/proc/sys/fs/inotify/max_user_instances');
  const watches = await number('/proc/sys/fs/inotify/max_user_watches');
  const keys = await number('/proc/sys/kernel/keys/maxkeys');
  return [
    finding(
      'inotify',
      'programs that watch files, in many containers at once',
      instances >= 512 && watches >= 65_536
        ? fine(`${instances} instances, ${watches} watches`)
        : missing(
            `${instances} instances, ${watches} watches for all containers together`,
            'sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288',
          ),
    ),
    finding(
      'keyrings',
      'many containers at once: each takes a session keyring of its user',
      keys === 0 || keys >= 1000
        ? fine(`${keys || 'not counted'}`)
        : missing(`${keys}`, 'sysctl kernel.keys.maxkeys=2000'),
    ),
  ];
}

export async function checkForwarding(probe: Probe): Promise<Finding[]> {
  const forwarding = (await probe.read('/proc/sys/net/ipv4/ip_forward')) === '1';
  const rules = await probe.output(['iptables', '-S', 'FORWARD']);
  const policy = /^-P FORWARD (\w+)/m.exec(rules ?? '')?.[1];
  return [
    finding(
      'ip_forward',
      'networks that reach outside',
      forwarding
        ? fine('on')
        : missing('off', 'the engine turns it on when it starts; another program that turns it off again must be told'),
    ),
    finding(
      'FORWARD policy',
      'published ports and names outside',
      policy === 'DROP' || policy === 'REJECT'
        ? fine(`${policy}: the engine adds rules of its own that let its networks pass`)
        : fine(policy ?? (probe.isRoot ? 'no rules' : 'only root can see it')),
    ),
  ];
}

export async function checkRegistries(probe: Probe, mirrors: readonly string[]): Promise<Finding[]> {
  const places = ['https://registry-1.docker.io', ...mirrors.map((mirror) => mirror.replace(/^[^/=]+=/, ''))];
  return await Promise.all(
    places.map(async (place) => {
      const answer = await probe.ask(`${place.replace(/\/+$/, '')}/v2/`);
      const gives = place.includes('docker.io') ? 'pulls from Docker Hub' : `pulls through ${place}`;
      const name = `registry ${new URL(place).host}`;
      // 401 asks for a token: it is the answer of a registry that is well.
      if (answer === 200 || answer === 401) return finding(name, gives, fine('answers'));
      const remedy = 'check name servers, firewall and the proxies of daemon.json';
      return finding(name, gives, missing(typeof answer === 'number' ? `answers ${answer}` : answer, remedy));
    }),
  );
}

/** The engine itself, and whether its configuration would let it start again. */
export async function checkEngine(probe: Probe, config: DaemonConfig | string): Promise<Finding[]> {
  const version = (await probe.engine('/version')) as { Components?: { Name: string; Version: string }[] } | null;
  const own = version?.Components?.find(({ Name }) => Name === 'Berth');
  const systemd = await probe.read('/run/systemd/system/.');
  return [
    finding(
      'configuration',
      'an engine that starts',
      typeof config === 'string'
        ? broken(config, 'mend the file; berth daemon --validate checks it')
        : fine(config['config-file']),
    ),
    finding(
      'engine',
      'an answer to every command',
      version
        ? fine(own ? `Berth ${own.Version}` : 'another engine answers on our socket')
        : missing(
            'does not answer',
            systemd === null
              ? 'berth daemon, or berth service install'
              : 'systemctl start berth, or berth service install',
          ),
    ),
  ];
}
