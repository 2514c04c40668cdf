/** A name in a request's path. Slashes, colons and at signs of image names stay, as the engine expects. */
export function pathName(name: string): string {
  return encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');
}
