import { BerthError } from '../../api/errors.ts';
import type { ContainerConfig, HealthcheckConfig } from '../../api/types/container.ts';
import type { ContainerDefaults } from '../../oci/image-config.ts';
import { keyOf } from './spec/environment.ts';

/**
 * What the client did not say comes from the image, by Docker's rules. Gives a new object.
 * Error: `invalid` `no command specified`.
 */
export function mergeConfig(own: ContainerConfig, image: ContainerDefaults | null): ContainerConfig {
  const merged: ContainerConfig = { ...own };
  if (image) inherit(merged, own, image);
  // A single empty word is how the command line asks for no entrypoint at all.
  if (merged.Entrypoint?.length === 1 && merged.Entrypoint[0] === '') merged.Entrypoint = null;
  if (!merged.Entrypoint?.length && !merged.Cmd?.length) throw new BerthError('invalid', 'no command specified');
  return merged;
}

function inherit(merged: ContainerConfig, own: ContainerConfig, image: ContainerDefaults): void {
  if (!own.User) merged.User = image.User ?? '';
  if (image.ExposedPorts) merged.ExposedPorts = { ...emptyObjects(image.ExposedPorts), ...own.ExposedPorts };
  merged.Env = mergeVariables(own.Env, image.Env);
  if (image.Labels) merged.Labels = { ...image.Labels, ...own.Labels };
  if (!own.Entrypoint?.length) {
    if (!own.Cmd?.length) {
      merged.Cmd = image.Cmd ?? null;
      if (image.ArgsEscaped) merged.ArgsEscaped = true;
    }
    merged.Entrypoint = own.Entrypoint ?? image.Entrypoint ?? null;
  }
  const health = mergeHealth(own.Healthcheck, image.Healthcheck as HealthcheckConfig | null | undefined);
  if (health) merged.Healthcheck = health;
  if (!own.WorkingDir) merged.WorkingDir = image.WorkingDir ?? '';
  if (image.Volumes) merged.Volumes = { ...emptyObjects(image.Volumes), ...own.Volumes };
  if (!own.StopSignal && image.StopSignal) merged.StopSignal = image.StopSignal;
  if (!own.Shell?.length && image.Shell?.length) merged.Shell = image.Shell;
}

function emptyObjects(keys: Record<string, object>): Record<string, Record<string, never>> {
  return Object.fromEntries(Object.keys(keys).map((key) => [key, {}]));
}

/** The client's variables first, then those of the image that it does not name. */
function mergeVariables(own: string[] | null, image: string[] | null | undefined): string[] | null {
  if (!image?.length) return own;
  if (!own?.length) return [...image];
  const named = new Set(own.map(keyOf));
  return [...own, ...image.filter((entry) => !named.has(keyOf(entry)))];
}

function mergeHealth(
  own: HealthcheckConfig | null | undefined,
  image: HealthcheckConfig | null | undefined,
): HealthcheckConfig | null {
  if (!image) return own ?? null;
  if (!own) return image;
  return {
    Test: own.Test?.length ? own.Test : image.Test,
    Interval: own.Interval || image.Interval,
    Timeout: own.Timeout || image.Timeout,
    StartPeriod: own.StartPeriod || image.StartPeriod,
    StartInterval: own.StartInterval || image.StartInterval,
    Retries: own.Retries || image.Retries,
  };
}
