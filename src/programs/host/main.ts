/** What commands about this machine need of the engine's side; each part is loaded when it is used. */
import type { HostProgram } from '../../cli/host-program.ts';

export const hostProgram: HostProgram = {
  async install(options, say) {
    await (await import('../service/install.ts')).install(options, say);
  },
  async uninstall(options, say) {
    await (await import('../service/uninstall.ts')).uninstall(options, say);
  },
  async status(root) {
    return await (await import('../service/status.ts')).status(root);
  },
  async examine(socket) {
    const { examine, machineProbe } = await import('../doctor/examine.ts');
    return await examine(socket === '' ? undefined : machineProbe(socket));
  },
  async startEngine() {
    await (await import('../service/autostart.ts')).startEngine();
  },
};
