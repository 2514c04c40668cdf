/** The program of the built-in hello-world image: a file in the source tree, inside the executable when compiled. */
import path from '../../../build/hello' with { type: 'file' };

export const embeddedHello: string = path;
