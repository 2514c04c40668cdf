/**
 * A network namespace for the test itself: sockets that it opens, files of /proc/sys/net and programs that it starts belong there.
 * Only for code that runs synchronously on this thread or in children of it.
 */
import { dlopen, FFIType } from 'bun:ffi';
import { closeSync, openSync } from 'node:fs';

const newNetwork = 0x40000000;

/** Enters a new namespace. Gives the function that goes back to the old one. */
export function enterOwnNetwork(): () => void {
  const { symbols, close } = dlopen('libc.so.6', {
    unshare: { args: [FFIType.i32], returns: FFIType.i32 },
    setns: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  });
  // Of this thread: the process's own link is that of its first thread, which need not be the one that runs JavaScript.
  const home = openSync('/proc/thread-self/ns/net', 'r');
  if (symbols.unshare(newNetwork) !== 0) throw new Error('no network namespace can be made here');
  return () => {
    const back = symbols.setns(home, newNetwork);
    closeSync(home);
    close();
    if (back !== 0) throw new Error('there is no way back to the network namespace of before');
  };
}
