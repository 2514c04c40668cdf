import { stopContainer } from '../../../client/containers/stop.ts';
import { stoppingCommand } from '../../stopping-command.ts';

export const command = stoppingCommand(stopContainer);
