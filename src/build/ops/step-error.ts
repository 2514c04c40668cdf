import { BerthError, errorKind, errorMessage } from '../../api/errors.ts';

/** A step whose command failed. */
export class DockerfileStepError extends BerthError {
  readonly command: string;
  readonly exitCode: number;

  constructor(args: readonly string[], outcome: { exitCode: number; outOfMemory: boolean }) {
    const command = args.join(' ');
    const reason = outcome.outOfMemory ? ': cannot allocate memory' : `: exit code: ${outcome.exitCode}`;
    super('invalid', `process ${JSON.stringify(command)} did not complete successfully${reason}`, {
      code: 'step-failed',
    });
    this.command = command;
    this.exitCode = outcome.exitCode;
  }
}

/** Throws what kept a command from being started; of a user that the tree does not know, with the command. */
export function notStarted(args: readonly string[], error: unknown): never {
  const message = errorMessage(error);
  if (errorKind(error) !== 'invalid' || !message.startsWith('unable to find ')) throw error;
  const text = `process ${JSON.stringify(args.join(' '))} did not complete successfully: ${message}`;
  throw new BerthError('invalid', text, { cause: error });
}
