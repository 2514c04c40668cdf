/** API versions. All of ours are 1.x, so a version is its minor number: 41 for `1.41`. */

export const oldestVersion = 24;
export const newestVersion = 52;

/** `1.52`. */
export function versionText(minor: number): string {
  return `1.${minor}`;
}

/** Splits `/v1.41/containers/json` into the version's text and the rest; null: no version prefix. */
export function splitVersion(path: string): { version: string | null; rest: string } {
  const match = /^\/v([0-9.]+)(\/.*)$/s.exec(path);
  return match ? { version: match[1] as string, rest: match[2] as string } : { version: null, rest: path };
}

/** Compares dotted numbers part by part; missing parts count as zero. */
function compareVersions(left: string, right: string): number {
  const a = left.split('.').map(Number);
  const b = right.split('.').map(Number);
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export type VersionVerdict =
  | { fits: true; minor: number }
  /** `tooOld` answers are plain text, as clients of that time expect. */
  | { fits: false; tooOld: boolean; message: string };

/** Whether we speak the version of a path; the messages are dockerd's. */
export function judgeVersion(version: string): VersionVerdict {
  if (compareVersions(version, versionText(oldestVersion)) < 0)
    return {
      fits: false,
      tooOld: true,
      message: `client version ${version} is too old. Minimum supported API version is ${versionText(oldestVersion)}, please upgrade your client to a newer version`,
    };
  if (compareVersions(version, versionText(newestVersion)) > 0)
    return {
      fits: false,
      tooOld: false,
      message: `client version ${version} is too new. Maximum supported API version is ${versionText(newestVersion)}`,
    };
  return { fits: true, minor: Number(version.split('.')[1] ?? 0) };
}
