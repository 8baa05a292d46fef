import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { ran } from '../sync/rig.ts'
import { enabled, found, olderSetup } from './older.ts'

const scripts = new URL('../../scripts', import.meta.url).pathname
const token = '/etc/practable/log.token.spin30'
const config = '/etc/understudy/understudy.toml'

let root: string

/** A system that never ran: some accounts, and the old way of logging, enabled. */
beforeEach(async () => {
  root = await mkdtemp(`${tmpdir()}/understudy-root-`)
  for (const folder of ['etc/practable', 'var/lib', 'usr/local/bin', 'opt']) {
    await mkdir(`${root}/${folder}`, { recursive: true })
  }
  await writeFile(`${root}/etc/passwd`, 'root:x:0:0:root:/root:/bin/bash\n')
  await writeFile(`${root}/etc/group`, 'root:x:0:\n')
  await writeFile(root + token, 'a token\n')
  await chmod(root + token, 0o600)
  await olderSetup(root)
  await control('enable', ...enabled)
})

afterEach(() => rm(root, { recursive: true }))

async function control(...args: string[]): Promise<string> {
  return (await ran('systemctl', [`--root=${root}`, ...args])).out
}

async function isEnabled(unit: string): Promise<boolean> {
  return (await control('is-enabled', unit)).trim() === 'enabled'
}

async function install(...args: string[]): Promise<string> {
  const bundle = inject('bundle')
  const { code, out, err } = await ran(`${scripts}/install.sh`, ['--root', root, '--from', bundle, ...args])
  expect(code, out + err).toBe(0)
  return out
}

async function uninstall(...args: string[]): Promise<string> {
  const { code, out, err } = await ran(`${scripts}/uninstall.sh`, ['--root', root, ...args])
  expect(code, out + err).toBe(0)
  return out
}

/** All files of the system with mode, owner, size and time of change of content; the program as one. */
async function files(): Promise<Map<string, string>> {
  const all = new Map<string, string>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}/${entry.name}`.slice(root.length)
    if (path.startsWith('/opt/understudy/')) continue
    const { mode, uid, gid } = await stat(root + path).catch(() => ({ mode: 0, uid: 0, gid: 0 }))
    const text = entry.isFile() ? await readFile(root + path, 'utf8') : ''
    all.set(path, [mode.toString(8), uid, gid, text].join(' '))
  }
  return all
}

test('everything is where --help says, and its user can read what it needs and nobody else', async () => {
  await install()
  expect(await isEnabled('understudy.service')).toBe(true)
  const { out } = await ran(`${root}/opt/understudy/bin/understudy`, ['--version'])
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/)
  const { gid } = await stat(`${root}/var/lib/understudy`)
  for (const [path, mode] of [
    ['/var/lib/understudy', 0o750],
    [config, 0o640],
    [token, 0o640]
  ] as const) {
    const info = await stat(root + path)
    expect([info.gid, info.mode & 0o7777], path).toEqual([gid, mode])
  }
  expect(gid).toBeGreaterThan(0)
})

test('a bundle may come as a tar', async () => {
  const tar = `${root}/understudy.tar`
  await ran('tar', ['-C', dirname(inject('bundle')), '-cf', tar, 'understudy'])
  await install('--from', tar)
  expect((await ran(`${root}/opt/understudy/bin/understudy`, ['--version'])).code).toBe(0)
})

test('a second time it changes nothing, and leaves the configuration alone', async () => {
  await install()
  await writeFile(root + config, 'site = "north"\n')
  const before = await files()
  await install()
  expect(await files()).toEqual(before)
})

test('the units of an older set-up are listed, and left alone', async () => {
  const out = await install()
  const listed = out.split('\n').filter((line) => line.startsWith('  '))
  expect(listed.map((line) => line.trim()).sort()).toEqual(found)
  for (const unit of enabled) expect(await isEnabled(unit), unit).toBe(true)
})

test('with --replace they are disabled, and those that only look like them are not; uninstall.sh enables them', async () => {
  await install('--replace')
  for (const unit of enabled) expect(await isEnabled(unit), unit).toBe(!found.includes(unit))
  // Once more, as for an update: what was disabled is not forgotten.
  await install()
  await uninstall()
  for (const unit of enabled) expect(await isEnabled(unit), unit).toBe(true)
  expect(await isEnabled('log-spin31.service')).toBe(false)
})

test('a session host that understudy.toml records through stays', async () => {
  await mkdir(`${root}/etc/understudy`)
  await writeFile(root + config, '[streams]\nsockets = ["ws://localhost:8888/ws/spin30"]\n')
  await install('--replace')
  const left = ['session.service', 'session-rules.service']
  for (const unit of found) expect(await isEnabled(unit), unit).toBe(left.includes(unit))
})

test('uninstall.sh --purge leaves what was there before', async () => {
  const accounts = new Set(['passwd', 'group', 'shadow', 'gshadow'].flatMap((name) => [name, `${name}-`]))
  const isOurs = ([path]: [string, string]): boolean =>
    // What systemd's own programs leave behind, and folders that are empty now.
    !accounts.has(path.slice('/etc/'.length)) &&
    !['/etc/.pwd.lock', '/etc/sysusers.d', '/etc/tmpfiles.d'].includes(path)
  const before = [...(await files())].filter(isOurs)
  await install('--replace')
  await writeFile(`${root}/var/lib/understudy/a-record`, 'recorded')
  await uninstall('--purge')
  expect(new Map([...(await files())].filter(isOurs))).toEqual(new Map(before))
  expect(await readFile(`${root}/etc/passwd`, 'utf8')).toBe('root:x:0:0:root:/root:/bin/bash\n')
  expect(await uninstall()).toBe('')
})

test('without --purge what was recorded and the configuration stay', async () => {
  await install()
  await writeFile(`${root}/var/lib/understudy/a-record`, 'recorded')
  await uninstall()
  expect(await readFile(`${root}/var/lib/understudy/a-record`, 'utf8')).toBe('recorded')
  expect(await readFile(root + config, 'utf8')).not.toBe('')
  expect(await isEnabled('understudy.service')).toBe(false)
})
