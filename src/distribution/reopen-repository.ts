import { Registries, type RegistrySettings } from './registries.ts';
import { Repository, type RepositoryAddress } from './repository.ts';
import { Transport } from './transport.ts';

/** A repository that another process of this program works with. @param headTimeout as of `Transport` */
export function reopenRepository(
  address: RepositoryAddress,
  settings: RegistrySettings,
  headTimeout?: number,
): Repository {
  const registries = new Registries(settings);
  const isInsecure = (host: string): boolean => registries.isInsecure(host);
  return new Repository({ ...address, transport: new Transport({ isInsecure, headTimeout }), isInsecure });
}
