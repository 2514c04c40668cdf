/** `metrics-addr`: what the engine counts, in Prometheus' text format and under dockerd's names where they mean the same here. */
import { createServer } from 'node:net';
import type { RouteName } from '../../api/routes.ts';
import { HttpConnection, type HttpRequest } from '../../server/http/connection.ts';
import type { HttpResponse } from '../../server/http/response.ts';

/** Where the numbers come from. */
export interface MetricsSource {
  engineId: string;
  version: string;
  commit: string;
  architecture: string;
  kernel: string;
  operatingSystem: string;
  cpus: number;
  /** Bytes. */
  memory: number;
  countContainers(): { running: number; paused: number; stopped: number };
  countEventListeners(): number;
  /** Calls back for each event from now on. */
  observe(observer: (event: { Type: string; Action: string }) => void): void;
}

/** Routes that dockerd times as `engine_daemon_container_actions_seconds`. */
const containerActions: Partial<Record<RouteName, string>> = {
  containerChanges: 'changes',
  containerCreate: 'create',
  containerRemove: 'delete',
  containerStart: 'start',
  imageCommit: 'commit',
};
/** The same for `engine_daemon_network_actions_seconds`. */
const networkActions: Partial<Record<RouteName, string>> = {
  networkConnect: 'connect',
  networkCreate: 'create',
  networkRemove: 'delete',
};

/** Upper bounds in seconds, Prometheus' defaults. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

class Histogram {
  readonly #counts = new Array<number>(buckets.length).fill(0);
  #count = 0;
  #sum = 0;

  observe(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    for (const [index, bound] of buckets.entries()) if (seconds <= bound) (this.#counts[index] as number)++;
  }

  lines(name: string, label: string): string[] {
    return [
      ...buckets.map((bound, index) => `${name}_bucket{${label},le="${bound}"} ${this.#counts[index]}`),
      `${name}_bucket{${label},le="+Inf"} ${this.#count}`,
      `${name}_sum{${label}} ${this.#sum}`,
      `${name}_count{${label}} ${this.#count}`,
    ];
  }
}

export class Metrics {
  readonly #source: MetricsSource;
  readonly #containers = histograms(containerActions);
  readonly #networks = histograms(networkActions);
  #events = 0;
  #healthChecks = 0;
  #failedHealthChecks = 0;

  constructor(source: MetricsSource) {
    this.#source = source;
    source.observe(({ Action }) => {
      this.#events++;
      if (!Action.startsWith('health_status')) return;
      this.#healthChecks++;
      if (Action.endsWith('unhealthy')) this.#failedHealthChecks++;
    });
  }

  /** To be told about every request that was answered well. */
  readonly answered = (route: RouteName, seconds: number): void => {
    const action = containerActions[route];
    if (action) this.#containers.get(action)?.observe(seconds);
    const change = networkActions[route];
    if (change) this.#networks.get(change)?.observe(seconds);
  };

  /** Serves `GET /metrics`; gives the address. @param address `host:port`; an empty host means all */
  async listen(address: string): Promise<string> {
    const separator = address.lastIndexOf(':');
    const host = address.slice(0, separator).replace(/^\[|\]$/g, '') || '0.0.0.0';
    const server = createServer((socket) => void new HttpConnection(socket, this.#answer));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: Number(address.slice(separator + 1)) }, resolve);
    });
    const bound = server.address();
    return `http://${address.slice(0, separator)}:${typeof bound === 'object' ? bound?.port : ''}/metrics`;
  }

  readonly #answer = (request: HttpRequest, response: HttpResponse): void => {
    const known = request.target.split('?')[0] === '/metrics';
    if (known) response.send(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }, this.text());
    else response.send(404, { 'Content-Type': 'text/plain; charset=utf-8' }, '404 page not found\n');
  };

  text(): string {
    const source = this.#source;
    const states = source.countContainers();
    const facts = [
      ...[`architecture="${source.architecture}"`, `commit="${source.commit}"`, `daemon_id="${source.engineId}"`],
      ...['graphdriver="overlay2"', `kernel="${source.kernel}"`, `os="${source.operatingSystem}"`, 'os_type="linux"'],
      `version="${source.version}"`,
    ];
    return [
      ...family('engine_daemon_container_actions_seconds', 'histogram', 'Seconds of each container action'),
      ...each(this.#containers, 'engine_daemon_container_actions_seconds'),
      ...family('engine_daemon_network_actions_seconds', 'histogram', 'Seconds of each network action'),
      ...each(this.#networks, 'engine_daemon_network_actions_seconds'),
      ...family('engine_daemon_container_states_containers', 'gauge', 'Containers in each state'),
      ...Object.entries(states).map(([state, n]) => `engine_daemon_container_states_containers{state="${state}"} ${n}`),
      ...single('engine_daemon_engine_cpus_cpus', 'gauge', 'Processors that the engine may use', source.cpus),
      ...family('engine_daemon_engine_info', 'gauge', 'Facts about the engine and its machine'),
      `engine_daemon_engine_info{${facts.join(',')}} 1`,
      ...single('engine_daemon_engine_memory_bytes', 'gauge', 'Memory of the machine', source.memory),
      ...single(
        'engine_daemon_events_subscribers_total',
        'gauge',
        'Clients that watch events',
        source.countEventListeners(),
      ),
      ...single('engine_daemon_events_total', 'counter', 'Events published', this.#events),
      ...single('engine_daemon_health_checks_total', 'counter', 'Changes of health', this.#healthChecks),
      ...single(
        'engine_daemon_health_checks_failed_total',
        'counter',
        'Changes to unhealthy',
        this.#failedHealthChecks,
      ),
      ...processMetrics(),
      '',
    ].join('\n');
  }
}

function histograms(actions: Partial<Record<RouteName, string>>): Map<string, Histogram> {
  return new Map(Object.values(actions).map((action) => [action, new Histogram()]));
}

function each(map: Map<string, Histogram>, name: string): string[] {
  return [...map].flatMap(([action, histogram]) => histogram.lines(name, `action="${action}"`));
}

function family(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function single(name: string, type: string, help: string, value: number): string[] {
  return [...family(name, type, help), `${name} ${value}`];
}

/** What every exporter tells of its own process. */
function processMetrics(): string[] {
  const { user, system } = process.cpuUsage();
  const started = Date.now() / 1000 - process.uptime();
  return [
    ...single('process_cpu_seconds_total', 'counter', 'Processor time of the engine', (user + system) / 1e6),
    ...single('process_resident_memory_bytes', 'gauge', 'Memory of the engine', process.memoryUsage.rss()),
    ...single('process_start_time_seconds', 'gauge', 'Start of the engine, Unix time', started),
  ];
}
