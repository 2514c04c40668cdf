/** `berth image bootstrap`: base images from the host's own packages, for machines that reach no registry. */
import { readFile } from 'node:fs/promises';
import { BerthError } from '../../../api/errors.ts';
import type { ProgressSink } from '../../../api/types/progress.ts';
import { SharedWork } from '../../../base/shared-work.ts';
import { canonicalString, parseReference } from '../../../oci/reference.ts';
import type { ImageStoreInterface } from '../../../store/types.ts';
import type { EventBus } from '../../events/event-bus.ts';
import { imageFromTree } from '../image-from-tree.ts';
import { busyboxRecipe } from './busybox.ts';
import { debianRecipe } from './debian.ts';
import type { Recipe } from './recipe.ts';

/** Releases by number, for those who know them so. */
const releases: Record<string, string> = { '11': 'bullseye', '12': 'bookworm', '13': 'trixie', '14': 'forky' };
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

interface Plan {
  recipe: Recipe;
  /** Names that the image gets, the first one for messages. */
  names: string[];
}

export interface ImageBootstrapOptions {
  store: Pick<ImageStoreInterface, 'lease' | 'ingestLayer' | 'commitImage'>;
  events: EventBus;
}

export class ImageBootstrap {
  readonly #options: ImageBootstrapOptions;
  readonly #running = new SharedWork<string, string>();

  constructor(options: ImageBootstrapOptions) {
    this.#options = options;
  }

  /**
   * Makes `busybox`, `debian` or `debian:<suite>`. Callers who want the same at once share the work.
   * Errors: `invalid` for another name, `unavailable` where the host's packages cannot be had.
   */
  async bootstrap(name: string, progress: ProgressSink, signal: AbortSignal): Promise<void> {
    const plan = await planOf(name);
    const [first = ''] = plan.names;
    progress({ status: `Bootstrapping ${first} from the packages of this machine` });
    const id = await this.#running.join(first, {
      signal,
      listener: (line) => progress({ status: line, id: first }),
      start: (context) => this.#make(plan, { signal: context.signal, say: context.emit }),
    });
    progress({ status: `Image: ${id}` });
    for (const one of plan.names) progress({ status: `Status: Bootstrapped image for ${one}` });
  }

  async #make(plan: Plan, context: { signal: AbortSignal; say: (line: string) => void }): Promise<string> {
    const { store, events } = this.#options;
    const history = { created: '', createdBy: '' };
    const id = await imageFromTree(store, {
      fill: async (root, lease) => {
        const built = await plan.recipe.build(root, { scratch: lease.directory, ...context });
        history.created = built.created.toISOString();
        history.createdBy = built.createdBy;
        context.say('Making the image');
      },
      history: () => history,
      references: plan.names.map((one) => canonicalString(parseReference(one))),
      config: { Env: [path], WorkingDir: '/', ...plan.recipe.config },
      signal: context.signal,
    });
    for (const one of plan.names) events.publish('image', 'tag', id, { name: one });
    return id;
  }
}

async function planOf(name: string): Promise<Plan> {
  const [, base, tag] = /^(busybox|debian)(?::([a-z0-9.-]+))?$/.exec(name) ?? [];
  if (base === 'busybox' && (tag === undefined || tag === 'latest'))
    return { recipe: busyboxRecipe, names: ['busybox:latest'] };
  if (base !== 'debian')
    throw new BerthError('invalid', `no way to bootstrap "${name}"`, {
      hint: 'Known: busybox, debian, debian:<suite>.',
    });
  if (tag !== undefined && tag !== 'latest') {
    const suite = releases[tag] ?? tag;
    return {
      recipe: debianRecipe(suite),
      names: suite === tag ? [`debian:${tag}`] : [`debian:${suite}`, `debian:${tag}`],
    };
  }
  const suite = await hostSuite();
  return { recipe: debianRecipe(suite), names: [`debian:${suite}`, 'debian:latest'] };
}

/** The suite of the host where that is a Debian, the newest release that is named here otherwise. */
async function hostSuite(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch((): string => '');
  const field = (key: string): string => new RegExp(`^${key}="?([a-z0-9-]+)"?$`, 'm').exec(text)?.[1] ?? '';
  return field('ID') === 'debian' && field('VERSION_CODENAME') ? field('VERSION_CODENAME') : 'trixie';
}
