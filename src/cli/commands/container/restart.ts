import { restartContainer } from '../../../client/containers/restart.ts';
import { stoppingCommand } from '../../stopping-command.ts';

export const command = stoppingCommand(restartContainer);
