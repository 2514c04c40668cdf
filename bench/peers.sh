#!/usr/bin/env bash
# The engines that Berth is measured against: dockerd 28 and Podman 5 out of Debian forky's packages, in a root of their own, so
# that the host keeps its packages. Used by scripts/bench and by the tests that compare shapes; nothing of Berth needs it.
#
#   bench/peers.sh setup            make the root (a few minutes, 1.3 GB); nothing to do when it is there
#   bench/peers.sh shell            a shell inside, commands on its standard input
#   bench/peers.sh dockerd          dockerd in the foreground on $BERTH_PEERS/docker.sock
#   bench/peers.sh clean            remove root and state
#
# $BERTH_PEERS (default /var/tmp/berth-peers) is the one folder that host and root share.
set -euo pipefail
state=${BERTH_PEERS:-/var/tmp/berth-peers}
root=$state.root
packages="docker.io docker-cli docker-buildx docker-compose podman netavark aardvark-dns passt crun runc containerd iptables nftables iproute2 procps ca-certificates busybox-static"

mirror() {
  # The host's own Debian mirror, in either format of apt's sources.
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] *\)\?\([^ ]*\).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null | grep /debian | head -n 1
}

setup() {
  [ -e "$root/.ready" ] && return 0
  mkdir -p "$state"
  rm -rf "$root"
  echo "peers: making $root (log: $state/setup.log)" >&2
  debootstrap --variant=minbase forky "$root" "$(mirror)" sid >"$state/setup.log" 2>&1
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  inside bash -c "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages" >>"$state/setup.log" 2>&1
  mkdir -p "$root/etc/containers"
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$root/etc/containers/policy.json"
  touch "$root/.ready"
}

# Runs a command with the root as /, in a mount namespace of its own that ends with the command.
inside() {
  unshare --mount --propagation private bash -euc '
    root=$1 state=$2; shift 2
    mount --bind "$root" "$root"
    for dir in proc sys dev; do mount --rbind "/$dir" "$root/$dir"; done
    # Debian 12 hosts on cgroup v1 may lack the one controller that crun insists on.
    if [ -d "$root/sys/fs/cgroup/memory" ] && ! mountpoint -q "$root/sys/fs/cgroup/hugetlb"; then
      mkdir -p "$root/sys/fs/cgroup/hugetlb"; mount -t cgroup -o hugetlb cgroup "$root/sys/fs/cgroup/hugetlb" || true
    fi
    mkdir -p "$root$state"; mount --bind "$state" "$root$state"
    mount -t tmpfs tmpfs "$root/run"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cd "$root"; mkdir -p .host; pivot_root . .host; umount -l .host
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PODMAN_IGNORE_CGROUPSV1_WARNING=1
    exec "$@"' inside "$root" "$state" "$@"
}

case ${1:-} in
  setup) setup ;;
  shell) setup; inside bash ;;
  dockerd) setup; rm -f "$state/docker.sock" "$state/docker.pid"
    # A bridge of its own, so that a dockerd of the host keeps docker0.
    ip link show berthpeer0 >/dev/null 2>&1 || { ip link add berthpeer0 type bridge; ip address add 172.31.250.1/24 dev berthpeer0; ip link set berthpeer0 up; }
    inside dockerd --bridge berthpeer0 --data-root "$state/docker" --exec-root "$state/docker-exec" --pidfile "$state/docker.pid" -H "unix://$state/docker.sock" ;;
  clean) rm -rf "$root" "$state"; ip link del berthpeer0 2>/dev/null || true ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
