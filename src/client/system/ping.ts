import type { Client } from '../client.ts';

/** What an engine says of itself before anything else. */
export interface EngineGreeting {
  /** The newest API version that it speaks. */
  apiVersion: string;
  osType: string;
  /** `2`: it builds by BuildKit's session. */
  builderVersion: string;
}

/** Error: `unavailable` where no engine answers. */
export async function pingEngine(client: Client): Promise<EngineGreeting> {
  const answer = await client.request({ method: 'HEAD', path: '/_ping' });
  answer.close();
  const { headers } = answer;
  return {
    apiVersion: headers['api-version'] ?? '',
    osType: headers['ostype'] ?? '',
    builderVersion: headers['builder-version'] ?? '',
  };
}
