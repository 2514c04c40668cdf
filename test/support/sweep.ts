/** Removes what killed tests left: engines whose test process is gone. `scripts/test` runs it first and last. */
import { demolish } from './demolish.ts';
import { deadIdentities, releaseIdentity } from './identity.ts';

for (const identity of deadIdentities()) {
  console.log(`sweeping what a dead test left: ${identity.bridge}`);
  await demolish(identity);
  releaseIdentity(identity);
}
