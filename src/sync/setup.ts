import type { SyncTarget } from '../config/sync-target.ts'
import type { PublicKeys } from './keys.ts'

/** What has to be put on the primary, once. */
export interface Setup {
  /** For authorized_keys of the target's user: what each key may do, and nothing else. */
  readonly authorizedKeys: readonly string[]
  /** To be run there as root. */
  readonly commands: readonly string[]
}

export function setupOf(site: string, { user, directory }: SyncTarget, keys: PublicKeys): Setup {
  const uploads = `${directory}/${site}`
  const receipts = `${directory}/receipts/${site}`
  const adapt = `sed 's#/srv/understudy#${directory}#g; s#^User=.*#User=${user}#'`
  return {
    authorizedKeys: [
      `command="rrsync -wo -no-del -no-overwrite ${uploads}",restrict ${keys.upload}`,
      `command="rrsync -ro ${receipts}",restrict ${keys.receipts}`
    ],
    commands: [
      'apt-get install rsync python3 openssh-server',
      `id ${user} || adduser --system --group --shell /bin/sh --home ${directory} ${user}`,
      `install -d -o ${user} -g ${user} -m 755 ${[directory, uploads, `${directory}/receipts`, receipts].join(' ')}`,
      `install -d -o ${user} -g ${user} -m 700 ${directory}/.ssh`,
      'install -m 755 scripts/primary-receipt /usr/local/bin/',
      `for unit in service path timer; do ${adapt} systemd/primary/understudy-receipt@.$unit >/etc/systemd/system/understudy-receipt@.$unit; done`,
      'systemctl daemon-reload',
      `systemctl enable --now understudy-receipt@${site}.path understudy-receipt@${site}.timer`
    ]
  }
}

/** For the technician who sets it up. */
export function setupText(site: string, { user, host, directory }: SyncTarget, setup: Setup): string {
  return [
    `# On ${host}, as root, in a checkout of Understudy:`,
    ...setup.commands,
    '',
    `# Into ${user}'s authorized_keys there (${directory}/.ssh/authorized_keys, or in its home where it was there before):`,
    ...setup.authorizedKeys,
    '',
    `# Folders arrive in ${directory}/${site}; see docs/sync.md, also for a primary whose rrsync has no -no-overwrite.`,
    '# Then, here: understudy sync',
    ''
  ].join('\n')
}
