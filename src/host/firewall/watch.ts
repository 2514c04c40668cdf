import { NetlinkSocket, netlinkFamily } from '../netlink/netlink-socket.ts';

/** Multicast group of nf_tables: every change of a table, chain, rule or element. */
const nfTablesGroup = 1 << 6;
/** Programs change many things at once; one look afterwards is enough. */
const settleMs = 100;

/** Calls `onChange` soon after anybody, this program too, changed the packet filter. Gives a function that ends it. */
export async function watchFirewall(onChange: () => void): Promise<() => void> {
  const netlink = new NetlinkSocket(netlinkFamily.netfilter, nfTablesGroup);
  netlink.dropOverflow();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const changed = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      onChange();
    }, settleMs).unref();
  };
  // `fd` is not in Bun's types; the descriptor is the connection's from here on.
  const options = { fd: netlink.fd, socket: { data: changed } };
  const connection = await Bun.connect(options as unknown as Bun.UnixSocketOptions<undefined>);
  connection.unref();
  return () => {
    if (timer) clearTimeout(timer);
    connection.end();
  };
}
