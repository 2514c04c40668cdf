import { BerthError, errorMessage } from '../../api/errors.ts';
import type { ContainerContext } from './context.ts';
import { checkedName } from './names.ts';

/** Resolves when the new name would survive a power cut. Errors: `invalid`, `conflict` in dockerd's words. */
export async function renameContainer(context: ContainerContext, reference: string, name: string): Promise<void> {
  if (reference === '' || name === '') throw new BerthError('invalid', 'Neither old nor new names may be empty');
  const container = context.index.find(reference);
  const old = container.record.name;
  let checked: string;
  try {
    checked = checkedName(name, `/${name.replace(/^\//, '')}`);
  } catch (cause) {
    throw new BerthError('invalid', `Error when allocating new name: ${errorMessage(cause)}`, { cause });
  }
  if (checked === old) throw new BerthError('invalid', 'Renaming a container with the same name as its current name');
  try {
    context.index.rename(container, checked);
  } catch (cause) {
    if (!(cause instanceof BerthError)) throw cause;
    throw new BerthError(cause.kind, `Error when allocating new name: ${cause.message}`, { cause });
  }
  await context.dependencies.networks.rename(container.id, checked);
  context.publish(container, 'rename', { oldName: `/${old}` });
  await context.dependencies.database.durable();
}
