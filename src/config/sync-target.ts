/** Where sealed folders go. */
export interface SyncTarget {
  readonly user: string
  /** A name or an address, IPv6 without brackets. */
  readonly host: string
  /** An absolute path on the primary. */
  readonly directory: string
}

export const syncTargetForm =
  'USER@HOST:DIR with an absolute folder of plain characters, like "understudy@primary.example:/srv/understudy"'

/**
 * Takes a target apart; `undefined` when it is none. The folder stands in authorized_keys and in systemd units, so only
 * characters are allowed that mean themselves there.
 */
export function parseSyncTarget(target: string): SyncTarget | undefined {
  const form =
    /^([A-Za-z0-9_][A-Za-z0-9_.-]{0,31})@(?:([A-Za-z0-9][A-Za-z0-9.-]{0,252})|\[([0-9A-Fa-f:.]{2,45})\]):((?:\/[A-Za-z0-9_+.,-]+)+)\/?$/
  const [, user, name, address, directory] = form.exec(target) ?? []
  const host = name ?? address
  if (user === undefined || host === undefined || directory === undefined) return undefined
  return directory.split('/').some((part) => part === '.' || part === '..') ? undefined : { user, host, directory }
}
