import type { Config } from '../config/config.ts'

/** Where this room keeps what it needs, under the data folder. */
export function syncPaths({ data, sync }: Pick<Config, 'data' | 'sync'>) {
  const directory = `${data.directory}/sync`
  const upload = sync.identity ?? `${directory}/id_ed25519`
  return {
    directory,
    /** The private keys. */
    keys: { upload, receipts: `${upload}-receipts` },
    knownHosts: sync.knownHosts ?? `${directory}/known_hosts`,
    sshConfig: `${directory}/ssh_config`,
    /** What the primary has confirmed, as it was fetched last. */
    receipts: `${directory}/receipts`,
    /** One small file for each sealed folder: how far its handing over has come. */
    handed: `${directory}/handed`,
    /** What has failed, and what was asked of the primary last. */
    state: `${directory}/state.json`,
    /** Where a note to the primary is written before it is sent. */
    outbox: `${directory}/outbox`
  }
}

export type SyncPaths = ReturnType<typeof syncPaths>
