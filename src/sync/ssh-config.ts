import type { Config } from '../config/config.ts'
import type { SyncTarget } from '../config/sync-target.ts'
import type { SyncPaths } from './paths.ts'

/**
 * What ssh is told by a file rather than by options, so that a person can use it too: `ssh -F FILE upload`. The hosts
 * `upload` and `receipts` are the primary, each with its own key. The host key is pinned at first use, in a file of our
 * own; nobody is ever asked anything.
 */
export function sshConfig(target: SyncTarget, sync: Config['sync'], paths: SyncPaths): string {
  return [
    '# Written anew each time by understudy; change understudy.toml instead.',
    'Host upload',
    `  IdentityFile ${quoted(paths.keys.upload)}`,
    'Host receipts',
    `  IdentityFile ${quoted(paths.keys.receipts)}`,
    'Host *',
    `  HostName ${target.host}`,
    `  User ${target.user}`,
    `  Port ${sync.port}`,
    ...(sync.proxyCommand === undefined ? [] : [`  ProxyCommand ${sync.proxyCommand}`]),
    `  UserKnownHostsFile ${quoted(paths.knownHosts)}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking accept-new',
    '  UpdateHostKeys no',
    '  IdentitiesOnly yes',
    '  PreferredAuthentications publickey',
    '  BatchMode yes',
    '  ControlMaster no',
    '  ControlPath none',
    '  ConnectTimeout 30',
    '  ServerAliveInterval 15',
    '  ServerAliveCountMax 4',
    '  LogLevel ERROR',
    ''
  ].join('\n')
}

/** A path as ssh_config takes it, in which `%` begins a token. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
