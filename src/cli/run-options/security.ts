import type { HostConfig } from '../../api/types/host-config.ts';

/**
 * `--security-opt`: a seccomp profile's file is read here and sent whole; `systempaths=unconfined` empties the lists of hidden paths.
 * Errors in Docker's words.
 */
export async function parseSecurity(texts: readonly string[]): Promise<Partial<HostConfig>> {
  const options: string[] = [];
  let unconfinedPaths = false;
  for (const text of texts) {
    if (text === 'systempaths=unconfined') {
      unconfinedPaths = true;
      continue;
    }
    const separator = text.includes('=') ? '=' : ':';
    const at = text.indexOf(separator);
    if (at < 0 && text !== 'no-new-privileges') throw new Error(`Invalid --security-opt: ${JSON.stringify(text)}`);
    const key = at < 0 ? text : text.slice(0, at);
    const value = text.slice(at + 1);
    options.push(
      key === 'seccomp' && value !== 'unconfined' && value !== 'builtin' ? `seccomp=${await readProfile(value)}` : text,
    );
  }
  return {
    SecurityOpt: options.length > 0 ? options : null,
    ...(unconfinedPaths && { MaskedPaths: [], ReadonlyPaths: [] }),
  };
}

async function readProfile(path: string): Promise<string> {
  let text: string;
  try {
    text = await Bun.file(path).text();
  } catch (cause) {
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: no such file or directory`, { cause });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (cause) {
    throw new Error(
      `compacting json for seccomp profile (${path}) failed: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
