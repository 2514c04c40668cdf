import type { Connection } from '../../../client/transport/transport.ts';
import { type Cli, defineCommand } from '../../command.ts';
import { standardInput } from '../../streams/terminal.ts';

/** What `docker -H ssh://…` runs at the other end: standard input and output become a connection to the engine. */
export const command = defineCommand({
  usage: '',
  options: {},
  words: { least: 0, most: 0 },
  async run({ cli }) {
    const connection = await cli.client.dial();
    // The end of the input is passed on; the answer to what was asked is still to come.
    void sendInput(connection);
    await printOutput(cli, connection);
    return 0;
  },
});

async function sendInput(connection: Connection): Promise<void> {
  try {
    for await (const bytes of standardInput()) await connection.write(bytes);
    connection.end();
  } catch {
    // The engine has closed the connection: the output ends, and with it the command.
    connection.close();
  }
}

async function printOutput(cli: Cli, connection: Connection): Promise<void> {
  for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) await cli.out.write(bytes);
  connection.close();
}
