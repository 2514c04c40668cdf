/** Zero values as a decoded request has them. */
import { containerCreateRequest } from '../../../src/api/schemas/container.ts';

export const ContainerHostConfigZero = containerCreateRequest.zero().HostConfig;
