import { shimHarness } from './shim-harness.ts';
import { supervisorContract } from './supervisor-contract.ts';

supervisorContract('shim', shimHarness);
