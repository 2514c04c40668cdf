/** Where the native helper program lies that belongs to this very program: a file of the source tree, or inside the executable. */
import path from '../../build/shim' with { type: 'file' };

export const embeddedShim: string = path;
