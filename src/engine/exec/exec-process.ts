import type { ExecCreateRequest } from '../../api/types/exec.ts';
import type { RuntimeProcess } from '../../oci/runtime-spec.ts';
import type { Container } from '../containers/container.ts';
import type { ContainerContext } from '../containers/context.ts';
import { linkEnvironment } from '../containers/links.ts';
import { containerCapabilities } from '../containers/spec/capabilities.ts';
import { containerEnvironment, mergeEnvironment, withHome } from '../containers/spec/environment.ts';
import { parseSecurityOptions } from '../containers/spec/security-options.ts';
import { homeOfUnknown, resolveUser } from '../containers/spec/users.ts';

/**
 * The OCI `process` of an exec: the container's own settings, changed by what the request says. Users are looked up in the
 * running container's files. Error: `invalid` for an unknown user.
 */
export async function execProcess(
  context: ContainerContext,
  container: Container,
  request: ExecCreateRequest,
): Promise<RuntimeProcess> {
  const { config, hostConfig } = container.record;
  const { files, settings } = context.dependencies;
  const wanted = request.User || config.User || '';
  const [passwd, group] = await Promise.all([
    files.readRunningFile(container.pid, '/etc/passwd'),
    files.readRunningFile(container.pid, '/etc/group'),
  ]);
  const capabilities = containerCapabilities(
    {
      add: hostConfig.CapAdd ?? [],
      drop: hostConfig.CapDrop ?? [],
      privileged: hostConfig.Privileged || request.Privileged,
    },
    context.bundles.availableCapabilities,
  );
  const own = containerEnvironment(
    { hostname: config.Hostname, terminal: request.Tty, links: linkEnvironment(container, context.index) },
    config.Env ?? [],
  );
  const user = resolveUser(wanted, hostConfig.GroupAdd ?? [], { passwd, group });
  const process: RuntimeProcess = {
    user,
    args: request.Cmd ?? [],
    env: withHome(mergeEnvironment(own, request.Env ?? []), homeOfUnknown(user.uid, passwd)),
    cwd: request.WorkingDir || config.WorkingDir || '/',
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    oomScoreAdj: context.bundles.oomScoreOf(hostConfig),
  };
  // The runtime knows no limits but these: those of the container's first process are not handed on.
  const limits = context.bundles.limitsOf(hostConfig);
  if (limits.length > 0) process.rlimits = limits;
  if (request.Tty) process.terminal = true;
  if (parseSecurityOptions(hostConfig.SecurityOpt ?? [], settings.noNewPrivileges).noNewPrivileges)
    process.noNewPrivileges = true;
  return process;
}
