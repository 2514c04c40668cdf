/**
 * What needs a machine of its own: systemd, cgroup version 2, reboots, installation. One machine for all of it, in this order.
 * `test/vm/virtual-machine.ts` says how it is driven.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { busyboxArchive } from '../support/images.ts';
import { VirtualMachine } from './virtual-machine.ts';

let machine: VirtualMachine;
/** Each command costs a second in there: scripts do several things and tell each in a line. */
const lines = async (script: string): Promise<string[]> => (await machine.ok(script)).split('\n');

beforeAll(async () => {
  // scripts/test names dist/berth where it is as new as the source; the machine has no Bun to run the source with.
  const berth = process.env['BERTH_TEST_PROGRAM'];
  if (!berth) throw new Error('dist/berth is older than the source: run scripts/build');
  machine = await VirtualMachine.boot({ berth, 'busybox.tar': busyboxArchive() });
}, 300_000);
afterAll(async () => {
  await machine?.powerOff();
});

describe('berth service install', () => {
  test('program, group, unit, link of the socket; the engine answers', async () => {
    const said = await machine.ok(
      '/handed/berth service install --docker-socket && berth load -q -i /handed/busybox.tar',
    );
    expect(said.split('\n')).toEqual([
      'copied the program to /usr/local/bin/berth',
      'made the group berth: its members may use the engine, which makes them root',
      'wrote /etc/systemd/system/berth.service',
      'wrote /etc/tmpfiles.d/berth.conf',
      'linked /run/docker.sock to /run/berth/berth.sock',
      'enabled berth.service',
      'started the engine',
      'Loaded image: busybox:latest',
    ]);
    expect(
      await lines(`systemctl is-active berth; systemctl is-enabled berth; stat -c '%U %G %a' /run/berth/berth.sock
        systemctl show berth -p Type -p KillMode -p Delegate -p TasksMax | sort; curl -s --unix-socket /var/run/docker.sock http://x/_ping`),
    ).toEqual([
      ...['active', 'enabled', 'root berth 660'],
      ...['Delegate=yes', 'KillMode=process', 'TasksMax=infinity', 'Type=notify', 'OK'],
    ]);
    const status = JSON.parse(await machine.ok('berth service status --format json')) as Record<string, unknown>;
    expect(status).toMatchObject({
      installed: true,
      state: 'active',
      enabled: true,
      group: 'berth',
      dockerSocket: true,
    });
  });

  test('members of the group may use the engine, others may not', async () => {
    const { code, stdout, stderr } = await machine.run(
      `useradd -m alice -G berth; useradd -m bob
      runuser -u alice -- berth run --rm --network none busybox echo from alice; runuser -u bob -- berth ps`,
    );
    expect([code, stdout]).toEqual([1, 'from alice\n']);
    expect(stderr).toContain('permission denied while trying to connect to the Docker daemon socket');
  });

  test('the doctor finds nothing broken, and says that there is no registry', async () => {
    const { code, stdout } = await machine.run('berth doctor');
    expect(stdout).not.toContain('BROKEN');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +cgroups +version 2$/m);
    expect(stdout).toMatch(/^missing +registry registry-1.docker.io/m);
  });
});

describe('systemctl', () => {
  test('containers live through restart, stop, start and a killed engine, and are adopted', async () => {
    const [same, alive, running, again, log] = await lines(
      `berth run -d --name sleeper --stop-timeout 1 --restart always busybox sh -c 'i=0; while :; do i=$((i+1)); echo $i; sleep 1; done' >/dev/null
      pid=$(berth inspect -f '{{.State.Pid}}' sleeper)
      systemctl restart berth; [ $(berth inspect -f '{{.State.Pid}}' sleeper) = $pid ] && echo same
      systemctl stop berth; kill -0 $pid && echo alive
      systemctl start berth; berth ps --format '{{.Names}} {{.State}}'
      engine=$(systemctl show -p MainPID --value berth); kill -9 $engine
      until next=$(systemctl show -p MainPID --value berth); [ $next != 0 ] && [ $next != $engine ] && systemctl -q is-active berth; do sleep 0.2; done
      [ $(berth inspect -f '{{.State.Pid}}' sleeper) = $pid ] && echo same
      berth logs sleeper | awk 'NR != $1 { wrong = 1 } END { print wrong ? "lost" : "whole" }'`,
    );
    expect([same, alive, running, again, log]).toEqual(['same', 'alive', 'sleeper running', 'same', 'whole']);
  });

  test('reload takes the configuration over', async () => {
    expect(
      await lines(`mkdir -p /etc/berth; echo '{"labels":["made=new"]}' >/etc/berth/daemon.json; systemctl reload berth
        until berth info -f '{{.Labels}}' | grep new; do sleep 0.2; done; systemctl is-active berth`),
    ).toEqual(['[made=new]', 'active']);
  });
});

describe('cgroup version 2', () => {
  const cgroup = `d=/sys/fs/cgroup/berth/$(berth inspect -f '{{.Id}}' lim)`;

  test('limits', async () => {
    const values = await lines(
      `berth run -d --name lim --stop-timeout 1 --memory 64m --memory-swap 96m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 1 \
        --pids-limit 50 --device-read-bps /dev/vda:1mb --device-write-iops /dev/vda:100 --blkio-weight 300 busybox sleep 1000 >/dev/null
      ${cgroup}; cd $d
      cat memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus pids.max io.max io.weight
      berth exec lim cat /proc/self/cgroup /sys/fs/cgroup/memory.max /proc/self/oom_score_adj
      cat /proc/$(berth inspect -f '{{.State.Pid}}' lim)/oom_score_adj /proc/$(systemctl show -p MainPID --value berth)/oom_score_adj`,
    );
    expect(values).toEqual([
      ...['67108864', '33554432', '33554432', '50000 100000', '20', '1', '50'],
      ...['254:0 rbps=1048576 wbps=max riops=max wiops=100', 'default 2930'],
      ...['0::/', '67108864', '0'],
      // The kernel's want of memory is for containers first, for the engine last.
      ...['0', '-500'],
    ]);
  });

  test('update', async () => {
    const values = await lines(
      `berth update --memory 80m --memory-swap 120m --cpus 0.25 --pids-limit 60 --cpuset-cpus 0 lim >/dev/null; ${cgroup}; cd $d
      cat memory.max memory.swap.max cpu.max pids.max cpuset.cpus`,
    );
    expect(values).toEqual(['83886080', '41943040', '25000 100000', '60', '0']);
  });

  test('pause by the freezer', async () => {
    const values = await lines(
      `${cgroup}; berth pause lim >/dev/null; grep frozen $d/cgroup.events; berth ps -f name=lim --format '{{.Status}}'
      berth exec lim true 2>&1; berth unpause lim >/dev/null; grep frozen $d/cgroup.events`,
    );
    expect(values[0]).toBe('frozen 1');
    expect(values[1]).toEndWith('(Paused)');
    expect(values[2]).toContain('is paused, unpause the container before exec');
    expect(values.at(-1)).toBe('frozen 0');
  });

  test('stats', async () => {
    const text = await machine.ok(
      `berth exec lim sh -c 'dd if=/dev/zero of=/file bs=64k count=16 conv=fsync 2>/dev/null'
      curl -s --unix-socket /run/berth/berth.sock 'http://x/containers/lim/stats?stream=0'`,
    );
    const stats = JSON.parse(text);
    expect(stats.memory_stats.limit).toBe(83886080);
    expect(stats.memory_stats.usage).toBeGreaterThan(0);
    expect(stats.memory_stats.stats).toHaveProperty('inactive_file');
    expect(stats.cpu_stats.cpu_usage.total_usage).toBeGreaterThan(0);
    expect(stats.cpu_stats.throttling_data.periods).toBeGreaterThan(0);
    expect(stats.pids_stats).toEqual({ current: 1, limit: 60 });
    const written = stats.blkio_stats.io_service_bytes_recursive.find((row: { op: string }) => row.op === 'write');
    expect(written.value).toBeGreaterThanOrEqual(1 << 20);
    expect(stats.networks.eth0).toBeDefined();
  });

  test('out of memory', async () => {
    const values = await lines(
      `since=$(date +%s); berth run --name oom --memory 20m --memory-swap 20m busybox sh -c 'x=a; while :; do x=$x$x; done'; echo $?
      berth inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}' oom
      berth events --since $since --until 0s --filter container=oom --filter event=oom --filter event=die --format '{{.Action}}'
      berth rm oom >/dev/null; ls -d /sys/fs/cgroup/berth/*/ | wc -l`,
    );
    expect(values).toEqual(['137', 'true 137 exited', 'oom', 'die', '2']);
  });
});

test('a reboot: containers end in good order, and come back as their restart policies say', async () => {
  const start = (name: string, policy: string): string =>
    `berth run -d --name ${name} --stop-timeout 1 --restart ${policy} --network none busybox sleep 1000 >/dev/null`;
  await machine.ok(
    `${start('kept', 'unless-stopped')}; ${start('stopped', 'unless-stopped')}; berth stop -t 0 stopped >/dev/null; ${start('failing', 'on-failure:3')}
    berth run -d --name orderly --network none busybox sh -c 'trap "echo bye; exit 3" TERM; echo here; while :; do sleep 0.1; done' >/dev/null`,
  );
  await machine.reboot();
  const states = await lines(
    `systemctl is-active berth; berth ps -a --format '{{.Names}} {{.State}}' | sort; berth inspect -f '{{.State.ExitCode}}' orderly
    berth logs orderly; readlink /run/docker.sock`,
  );
  expect(states).toEqual([
    'active',
    ...['failing running', 'kept running', 'lim exited', 'orderly exited', 'sleeper running', 'stopped exited'],
    ...['3', 'here', 'bye', '/run/berth/berth.sock'],
  ]);
}, 400_000);

test('systemd opens the socket, and starts the engine at the first call', async () => {
  const states = await lines(
    `berth service install --socket >/dev/null; systemctl is-active berth.socket berth.service; stat -c '%G %a' /run/berth/berth.sock
    systemctl stop berth.service 2>/dev/null; systemctl is-active berth.socket berth.service
    berth ps -q | wc -l; systemctl is-active berth.service
    berth run -d --rm --name heir --network none busybox sleep 1000 >/dev/null
    inode=$(awk '$8 == "/run/berth/berth.sock" && $4 == "00010000" { print $7 }' /proc/net/unix)
    ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c "socket:.$inode."; berth rm -f heir >/dev/null
    berth service install >/dev/null; berth ps -q | wc -l; ls /etc/systemd/system/berth*`,
  );
  expect(states).toEqual([
    // Held by systemd and the engine; no container's process got it as well.
    ...['active', 'active', 'berth 660', 'active', 'inactive', '3', 'active', '2', '3'],
    '/etc/systemd/system/berth.service',
  ]);
});

test('where the service is installed, autostart starts the unit', async () => {
  expect(
    await lines(`systemctl stop berth; BERTH_AUTOSTART=0 berth run --rm --network none busybox true 2>&1 | grep -o 'Is the docker daemon running?'
      berth run --rm --network none busybox echo hi; systemctl is-active berth`),
  ).toEqual(['Is the docker daemon running?', 'hi', 'active']);
});

describe('berth service uninstall', () => {
  /** Everything that could be left; the line after `--` is a count. */
  const left = `ls -d /etc/systemd/system/*berth* /etc/systemd/system/*/berth* /etc/tmpfiles.d/berth.conf /run/berth /run/docker.sock \
    /usr/local/bin/berth /sys/fs/cgroup/berth /run/berth.pid 2>/dev/null
    getent group berth; ip -o link show type bridge; nft list tables; grep -l berth /proc/[0-9]*/comm; systemctl list-units --all --no-legend '*berth*'; :`;

  test('leaves the data, and nothing else', async () => {
    await machine.ok('berth service uninstall');
    expect(await machine.ok(left)).toBe('');
    const found = await lines(
      '/handed/berth service install >/dev/null; berth ps -a --format "{{.Names}}" | sort | head -n 2; berth images -q | wc -l',
    );
    expect(found).toEqual(['failing', 'kept', '1']);
  });

  test('--purge leaves nothing', async () => {
    const said = await machine.ok('berth service uninstall --purge');
    expect(said).toMatch(/^removed \d+ containers\n/);
    expect(await machine.ok(`${left} ls -d /var/lib/berth /etc/berth 2>/dev/null; :`)).toBe('');
    expect((await machine.run('/handed/berth service uninstall')).stderr).toContain('the service is not installed');
  });
});
