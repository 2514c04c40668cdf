import { defineOptions } from '../../grammar/options.ts';

/** Which registries are asked without TLS is the engine's configuration; the flag of Docker's client is accepted. */
export const insecureOption = defineOptions({
  insecure: { kind: 'bool', hidden: true, help: 'Has no effect: insecure-registries of the engine says so' },
});
