import { BerthError } from '../../api/errors.ts';

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
