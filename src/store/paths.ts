/**
 * Everything that Berth keeps on disk, drawn once.
 *
 *   <data root>  /var/lib/berth          survives the boot
 *     berth.db, berth.db-wal             the database (src/store/db/migrations.ts)
 *     lock                               held by the one engine of this data root
 *     blobs/sha256/<64 hex>              compressed layers that nobody else has; the name is the digest of the bytes
 *     layers/<n>/diff                    an unpacked layer; n is a small integer so that `lowerdir=` stays short
 *     layers/<n>/recipe.zst, replaced/   how its tar is made again, bit by bit (shim/recipe.h)
 *     containers/<id>/                   upper/ work/ log/<id>-json.log
 *     init/<key>/                        what every root has on top of its image: mount points and /.dockerenv
 *     volumes/<name>/_data               volumes of the local driver
 *     bin/shim-<digest>                  the native helper program, one per version that a container still uses
 *     downloads/                         blobs on their way from a registry; a pull that was cut off goes on from there
 *     build/mounts/<key>/                what RUN --mount=type=cache keeps
 *     build/contexts/<key>/              files of build contexts, for the next build to send only what changed
 *     tmp/                               half-written blobs and layers; emptied at each start of the engine
 *
 *   <exec root>  /run/berth              lives until the next boot
 *     berth.sock                         the API
 *     containers/<id>/                   OCI bundle, the shim's sockets, pid and exit file, hosts hostname resolv.conf
 *     runtime/                           the OCI runtime's own state (`--root`)
 *     names/                             sockets of the resolver process
 *     locks/
 */
import { join } from 'node:path';

/** The two roots of an engine, both absolute. */
export interface Roots {
  dataRoot: string;
  execRoot: string;
}

/** Where one container keeps its things. */
export interface ContainerPaths {
  /** `<data root>/containers/<id>` */
  directory: string;
  upper: string;
  work: string;
  /** These three are written anew at each start, so they live in memory: no start waits for a busy disk. */
  hosts: string;
  hostname: string;
  resolvConf: string;
  logDirectory: string;
  log: string;
  /** `<exec root>/containers/<id>`: the OCI bundle and the shim's files. */
  bundle: string;
}

/** Paths of one engine. Making an instance touches nothing on disk. */
export class Paths {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly database: string;
  readonly lock: string;
  readonly blobs: string;
  readonly layers: string;
  readonly containers: string;
  readonly initLayers: string;
  readonly volumes: string;
  readonly bin: string;
  readonly downloads: string;
  readonly temporary: string;
  readonly buildMounts: string;
  readonly buildContexts: string;
  readonly socket: string;
  readonly bundles: string;
  readonly runtime: string;
  readonly names: string;
  readonly locks: string;

  constructor(roots: Roots) {
    this.dataRoot = roots.dataRoot;
    this.execRoot = roots.execRoot;
    this.database = join(roots.dataRoot, 'berth.db');
    this.lock = join(roots.dataRoot, 'lock');
    this.blobs = join(roots.dataRoot, 'blobs', 'sha256');
    this.layers = join(roots.dataRoot, 'layers');
    this.containers = join(roots.dataRoot, 'containers');
    this.initLayers = join(roots.dataRoot, 'init');
    this.volumes = join(roots.dataRoot, 'volumes');
    this.bin = join(roots.dataRoot, 'bin');
    this.downloads = join(roots.dataRoot, 'downloads');
    this.temporary = join(roots.dataRoot, 'tmp');
    this.buildMounts = join(roots.dataRoot, 'build', 'mounts');
    this.buildContexts = join(roots.dataRoot, 'build', 'contexts');
    this.socket = join(roots.execRoot, 'berth.sock');
    this.bundles = join(roots.execRoot, 'containers');
    this.runtime = join(roots.execRoot, 'runtime');
    this.names = join(roots.execRoot, 'names');
    this.locks = join(roots.execRoot, 'locks');
  }

  /** Directories that must exist before anything else works, parents first; mode 0710 as Docker's data root. */
  get directories(): string[] {
    return [
      this.dataRoot,
      this.blobs,
      this.layers,
      this.containers,
      this.initLayers,
      this.volumes,
      this.bin,
      this.downloads,
      this.temporary,
      this.buildContexts,
      this.execRoot,
      this.bundles,
      this.runtime,
      this.names,
      this.locks,
    ];
  }

  /** Directories whose entries are whole trees that come and go. */
  get groves(): string[] {
    return [this.layers, this.temporary, this.buildContexts];
  }

  /** @param digest `sha256:<64 hex>` */
  blob(digest: string): string {
    return join(this.blobs, digest.slice(digest.indexOf(':') + 1));
  }

  /** `layers/<n>` */
  layer(directory: number): string {
    return join(this.layers, String(directory));
  }

  /** The directory that overlay gets as a lower one: `layers/<n>/diff` */
  layerDiff(directory: number): string {
    return join(this.layers, String(directory), 'diff');
  }

  /** `init/<key>` */
  initLayer(key: string): string {
    return join(this.initLayers, key);
  }

  /** `volumes/<name>/_data` */
  volume(name: string): string {
    return join(this.volumes, name, '_data');
  }

  container(id: string): ContainerPaths {
    const directory = join(this.containers, id);
    const bundle = join(this.bundles, id);
    const logDirectory = join(directory, 'log');
    return {
      directory,
      upper: join(directory, 'upper'),
      work: join(directory, 'work'),
      hosts: join(bundle, 'hosts'),
      hostname: join(bundle, 'hostname'),
      resolvConf: join(bundle, 'resolv.conf'),
      logDirectory,
      log: join(logDirectory, `${id}-json.log`),
      bundle,
    };
  }
}
