import type { Client } from '../client.ts';

export interface CommitOptions {
  container: string;
  repository?: string;
  tag?: string;
  comment?: string;
  author?: string;
  /** Dockerfile instructions. */
  changes?: readonly string[];
  /** Absent: the container stands still meanwhile. */
  pause?: boolean;
}

/** Makes an image of a container; gives its id. */
export async function commitContainer(client: Client, options: CommitOptions): Promise<string> {
  const { repository, pause, ...rest } = options;
  const query = { ...rest, repo: repository, pause: pause === false ? '0' : undefined };
  const { Id } = await client.json<{ Id: string }>({ method: 'POST', path: '/commit', query, json: null });
  return Id;
}
