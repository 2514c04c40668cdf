/** What a user of Docker 28 can name; `gen-surface.ts` writes down what Berth says to each of them. */

export const dockerCommands: readonly string[] = [
  ...words('attach build commit cp create diff events exec export history images import info inspect kill load login'),
  ...words(
    'logout logs pause port ps pull push rename restart rm rmi run save search start stats stop tag top unpause',
  ),
  ...words('update version wait compose'),
  ...verbs('builder', 'build prune'),
  ...verbs('buildx', 'bake build create du imagetools inspect ls prune rm stop use version'),
  ...verbs('checkpoint', 'create ls rm'),
  ...verbs('config', 'create inspect ls rm'),
  ...verbs(
    'container',
    'attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm',
  ),
  ...verbs('container', 'run start stats stop top unpause update wait'),
  ...verbs('context', 'create export import inspect ls rm show update use'),
  ...verbs('image', 'build history import inspect load ls prune pull push rm save tag'),
  ...verbs('manifest', 'annotate create inspect push rm'),
  ...verbs('network', 'connect create disconnect inspect ls prune rm'),
  ...verbs('node', 'demote inspect ls promote ps rm update'),
  ...verbs('plugin', 'create disable enable inspect install ls push rm set upgrade'),
  ...verbs('secret', 'create inspect ls rm'),
  ...verbs('service', 'create inspect logs ls ps rm rollback scale update'),
  ...verbs('stack', 'config deploy ls ps rm services'),
  ...verbs('swarm', 'ca init join join-token leave unlock unlock-key update'),
  ...verbs('system', 'df dial-stdio events info prune'),
  ...verbs('trust', 'inspect revoke sign'),
  ...verbs('volume', 'create inspect ls prune rm update'),
];

export const globalFlags: readonly string[] = words(
  'config context debug host log-level tls tlscacert tlscert tlskey tlsverify version',
);

export const runFlags: readonly string[] = [
  ...words(
    'add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile',
  ),
  ...words('cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus'),
  ...words(
    'cpuset-mems detach detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps',
  ),
  ...words(
    'device-write-iops disable-content-trust dns dns-option dns-search domainname entrypoint env env-file expose',
  ),
  ...words('gpus group-add health-cmd health-interval health-retries health-start-interval health-start-period'),
  ...words(
    'health-timeout hostname init interactive io-maxbandwidth io-maxiops ip ip6 ipc isolation kernel-memory label',
  ),
  ...words('label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap'),
  ...words('memory-swappiness mount name network network-alias no-healthcheck oom-kill-disable oom-score-adj pid'),
  ...words('pids-limit platform privileged publish publish-all pull quiet read-only restart rm runtime security-opt'),
  ...words(
    'shm-size sig-proxy stop-signal stop-timeout storage-opt sysctl tmpfs tty ulimit use-api-socket user userns uts',
  ),
  ...words('volume volume-driver volumes-from workdir'),
];

export const buildFlags: readonly string[] = [
  ...words(
    'add-host allow annotation attest build-arg build-context cache-from cache-to call cgroup-parent file iidfile',
  ),
  ...words(
    'label load memory metadata-file network no-cache no-cache-filter output platform progress provenance pull push',
  ),
  ...words('quiet sbom secret shm-size ssh tag target ulimit'),
];

export const daemonKeys: readonly string[] = [
  ...words(
    'allow-direct-routing api-cors-header authorization-plugins bip bip6 bridge builder cdi-spec-dirs cgroup-parent',
  ),
  ...words('containerd data-root debug default-address-pools default-cgroupns-mode default-gateway default-gateway-v6'),
  ...words(
    'default-ipc-mode default-network-opts default-runtime default-shm-size default-ulimits dns dns-opts dns-search',
  ),
  ...words(
    'exec-opts exec-root experimental features fixed-cidr fixed-cidr-v6 group host-gateway-ips hosts http-proxy',
  ),
  ...words(
    'https-proxy icc init init-path insecure-registries ip ip-forward ip-forward-no-drop ip-masq ip6tables iptables',
  ),
  ...words('ipv6 labels live-restore log-driver log-format log-level log-opts max-concurrent-downloads'),
  ...words('max-concurrent-uploads max-download-attempts metrics-addr mtu no-new-privileges no-proxy pidfile raw-logs'),
  ...words('registry-mirrors runtimes seccomp-profile selinux-enabled shutdown-timeout storage-driver storage-opts'),
  ...words('swarm-default-advertise-addr tls tlscacert tlscert tlskey tlsverify userland-proxy userns-remap'),
];

/** What of a flag of `run` and `create` is not everything. */
export const runLimits: Readonly<Record<string, string>> = {
  'cpu-count': 'Windows only',
  'cpu-percent': 'Windows only',
  'disable-content-trust': 'without effect: images are checked by their digests',
  'io-maxbandwidth': 'Windows only',
  'io-maxiops': 'Windows only',
  isolation: '`default` alone',
  'log-driver': '`json-file`, `local` and `none`',
  'storage-opt': 'refused as on a disk without quotas',
  userns: '`host` alone: userns-remap is not built yet',
  'volume-driver': '`local` alone',
};

/** Flags of Docker 28's other commands, by command, as its client names them. */
export const commandFlags: Readonly<Record<string, string>> = {
  'builder prune': 'all filter force keep-storage',
  'container attach': 'detach-keys no-stdin sig-proxy',
  'container commit': 'author change message pause',
  'container cp': 'archive follow-link quiet',
  'container exec': 'detach detach-keys env env-file interactive privileged tty user workdir',
  'container export': 'output',
  'container inspect': 'format size',
  'container kill': 'signal',
  'container logs': 'details follow since tail timestamps until',
  'container ls': 'all filter format last latest no-trunc quiet size',
  'container prune': 'filter force',
  'container restart': 'signal timeout',
  'container rm': 'force link volumes',
  'container start': 'attach checkpoint checkpoint-dir detach-keys interactive',
  'container stats': 'all format no-stream no-trunc',
  'container stop': 'signal timeout',
  'container update':
    'blkio-weight cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems memory memory-reservation memory-swap pids-limit restart',
  'context create': 'description docker from',
  'context inspect': 'format',
  'context ls': 'format quiet',
  'context rm': 'force',
  'context update': 'description docker',
  'image history': 'format human no-trunc platform quiet',
  'image import': 'change message platform',
  'image inspect': 'format platform',
  'image load': 'input platform quiet',
  'image ls': 'all digests filter format no-trunc quiet tree',
  'image prune': 'all filter force',
  'image pull': 'all-tags disable-content-trust platform quiet',
  'image push': 'all-tags disable-content-trust platform quiet',
  'image rm': 'force no-prune platform',
  'image save': 'output platform',
  inspect: 'format size type',
  login: 'password password-stdin username',
  'manifest annotate': 'arch os os-features os-version variant',
  'manifest create': 'amend insecure',
  'manifest inspect': 'insecure verbose',
  'manifest push': 'insecure purge',
  'network connect': 'alias driver-opt gw-priority ip ip6 link link-local-ip',
  'network create':
    'attachable aux-address config-from config-only driver gateway ingress internal ip-range ipam-driver ipam-opt ipv4 ipv6 label opt scope subnet',
  'network disconnect': 'force',
  'network inspect': 'format verbose',
  'network ls': 'filter format no-trunc quiet',
  'network prune': 'filter force',
  'network rm': 'force',
  'system df': 'format verbose',
  'system events': 'filter format since until',
  'system info': 'format',
  'system prune': 'all filter force volumes',
  version: 'format',
  'volume create':
    'availability driver group label limit-bytes opt required-bytes scope secret sharing topology-preferred topology-required type',
  'volume inspect': 'format',
  'volume ls': 'cluster filter format quiet',
  'volume prune': 'all filter force',
  'volume rm': 'force',
};

function words(text: string): string[] {
  return text.split(' ');
}

function verbs(noun: string, text: string): string[] {
  return words(text).map((verb) => `${noun} ${verb}`);
}
