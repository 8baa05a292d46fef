import { expect, test } from 'vitest'
import type { Config } from '../config/config.ts'
import { validate } from '../config/validate.ts'
import { syncPaths } from './paths.ts'
import { setupOf, setupText } from './setup.ts'
import { sshConfig } from './ssh-config.ts'

function configOf(sync: object): Config {
  const directory = '/var/lib/under study/100%'
  const result = validate({ site: 'north', data: { directory }, sync: { target: 'backup@[::1]:/srv/logs', ...sync } })
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.config
}

test('each key is limited to one folder of its site', () => {
  const { sync } = configOf({})
  const setup = setupOf('north', sync.target!, { upload: 'ssh-ed25519 A up', receipts: 'ssh-ed25519 B down' })
  expect(setup.authorizedKeys).toEqual([
    'command="rrsync -wo -no-del -no-overwrite /srv/logs/north",restrict ssh-ed25519 A up',
    'command="rrsync -ro /srv/logs/receipts/north",restrict ssh-ed25519 B down'
  ])
  expect(setup.commands.join('\n')).toContain("sed 's#/srv/understudy#/srv/logs#g; s#^User=.*#User=backup#'")
  const text = setupText('north', sync.target!, setup)
  for (const line of [...setup.authorizedKeys, ...setup.commands]) expect(text.split('\n')).toContain(line)
})

test('ssh is told all by a file, whatever stands in a path', () => {
  const config = configOf({ port: 2222, proxy_command: 'ssh -W %h:%p gateway', identity: '/keys/"k"' })
  const text = sshConfig(config.sync.target!, config.sync, syncPaths(config))
  expect(text).toContain('  HostName ::1\n  User backup\n  Port 2222\n  ProxyCommand ssh -W %h:%p gateway\n')
  expect(text).toContain('  IdentityFile "/keys/\\"k\\""\n')
  expect(text).toContain('  UserKnownHostsFile "/var/lib/under study/100%%/sync/known_hosts"\n')
  for (const line of ['StrictHostKeyChecking accept-new', 'BatchMode yes', 'IdentitiesOnly yes', 'UpdateHostKeys no']) {
    expect(text).toContain(`  ${line}\n`)
  }
})
