import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realFiles } from '../../src/world/real/files.ts'
import { realWorld } from '../../src/world/real.ts'
import { openJournal } from '../support/journals.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { CuttingProxy, Pi, Primary, ran, until } from './rig.ts'

const run = promisify(execFile)
const mount = (...args: string[]) => run('mount', args)
const unmount = (path: string) => run('umount', ['-l', path])

let primary: Primary
let pi: Pi
const more: Array<{ remove(): Promise<void> }> = []

beforeEach(async () => {
  primary = await Primary.start()
  pi = await Pi.make('north', primary)
})

afterEach(async () => {
  for (const one of [...more.splice(0), pi, primary]) await one.remove()
})

/** A journal with some messages of each of these days. */
async function record(data: string, days: readonly string[]): Promise<void> {
  const journal = await openJournal(await realWorld(), data, { storeBytes: 1e8, storeAgeMs: 1e9 })
  for (const day of days) {
    for (let hour = 0; hour < 24; hour++) {
      const wallUs = Date.parse(`${day}T00:00:00Z`) * 1000 + hour * 3_600_000_000
      const stamp = { wallUs, monoUs: wallUs, boot: 'b007', source: 'ntp' } as const
      const payload = Buffer.from(JSON.stringify({ t: hour, type: 'analytics', payload: { log: 'position' } }))
      journal.append({ stream: `spin${30 + (hour % 2)}`, payload, binary: false, origin: 'import', stamp })
    }
  }
  await journal.close()
}

test('three days are sent and confirmed, and a far file that is damaged afterwards is reported', async () => {
  primary.watch('north')
  const names = [await pi.seal(0), await pi.seal(1), await pi.seal(2)]
  const first = await pi.understudy('sync', '--json')
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(first.out)).toEqual({ sent: names, confirmed: names, waiting: [], differing: [] })
  for (const name of names) expect(await pi.difference(name)).toBe('')
  expect((await pi.understudy('sync')).out).toBe('0 folders sent, 0 confirmed\n')

  await appendFile(`${pi.there(names[1]!)}/spin30.jsonl.zst`, 'x')
  const later = await pi.understudy('sync', '--recheck', '--json')
  expect(later.code).toBe(1)
  expect(JSON.parse(later.out)).toMatchObject({ differing: [names[1]] })

  // As docs/sync.md says: moved away there, it is sent again.
  await rm(pi.there(names[1]!), { recursive: true })
  await until(async () => (await pi.understudy('sync')).code === 0)
  expect(await pi.difference(names[1]!)).toBe('')
  expect(JSON.parse((await pi.understudy('sync', '--recheck', '--json')).out)).toMatchObject({
    waiting: [],
    differing: []
  })
})

test('three days that were captured from a journal are confirmed, and the ledger knows', async () => {
  primary.watch('north')
  await record(pi.data, ['2026-11-16', '2026-11-17', '2026-11-18'])
  const names: string[] = []
  for (const day of ['2026-11-16', '2026-11-17', '2026-11-18']) {
    const { code, out } = await pi.understudy('captures', 'run', 'daily', '--at', `${day}T12:00:00Z`, '--json')
    expect([code, JSON.parse(out)]).toEqual([0, [day]])
    names.push(`daily/${day}`)
  }
  const report = await pi.understudy('sync', '--json')
  expect([report.code, JSON.parse(report.out)]).toMatchObject([0, { sent: names, confirmed: names }])
  for (const name of names) expect(await pi.difference(name)).toBe('')
  const [daily] = JSON.parse((await pi.understudy('captures', '--json')).out)
  expect(
    daily.sealed.map(({ folder, confirmed }: { folder: string; confirmed: boolean }) => [folder, confirmed])
  ).toEqual(names.map((name) => [name.slice('daily/'.length), true]))
})

test('two Pis share one target', async () => {
  const other = await Pi.make('south', primary)
  more.push(other)
  primary.watch('north', 'south')
  const [here, there] = [await pi.seal(0, 3_000_000), await other.seal(0, 3_000_000)]
  const reports = await Promise.all([pi.understudy('sync', '--json'), other.understudy('sync', '--json')])
  expect(reports.map(({ code }) => code)).toEqual([0, 0])
  expect(await pi.difference(here)).toBe('')
  expect(await other.difference(there)).toBe('')
})

test('nothing counts before its receipt', async () => {
  const name = await pi.seal(0)
  // Nobody writes receipts: the command waits a minute for one.
  const run = pi.spawn('sync')
  await until(async () => (await pi.handed(name))?.sentMs !== undefined)
  expect(await pi.difference(name)).toBe('')
  expect((await pi.handed(name))?.confirmedMs).toBeUndefined()
  primary.watch('north')
  await new Promise((resolve) => run.once('exit', resolve))
  expect((await pi.handed(name))?.confirmedMs).toBeDefined()
})

test('cut at any byte it goes on where it was, and the far side is identical at the end', {
  timeout: 600_000
}, async () => {
  const proxy = await CuttingProxy.start(primary.port)
  more.push({ remove: () => proxy.close() })
  await pi.configure([`port = ${proxy.port}`])
  primary.watch('north')
  const bytes = 4_000_000
  const cuts = repeats(20)
  const names = [await pi.seal(0, bytes)]
  const isConfirmed = async (name: string): Promise<boolean> => (await pi.handed(name))?.confirmedMs !== undefined
  await rounds(1, async (dice) => {
    while (proxy.cuts < cuts) {
      // As long as there is something to send, it can be cut.
      if (await isConfirmed(names.at(-1)!)) names.push(await pi.seal(names.length, bytes))
      const before = proxy.cuts
      // Wherever it is: in the handshakes, in the file, in the note, in the receipts.
      proxy.cutAfterBytes = dice.int(1, dice.chance(0.3) ? 30_000 : bytes / 2)
      const { code, err } = await pi.understudy('sync')
      // One that comes when everything has been said does no harm.
      if (proxy.cuts === before || code === 0) continue
      expect({ code, err }).toMatchObject({
        code: 1,
        err: expect.stringMatching(/UNDERSTUDY_SYNC_(CUT|UNREACHABLE|BUSY)/)
      })
    }
  })
  proxy.cutAfterBytes = Number.POSITIVE_INFINITY
  await until(async () => (await pi.understudy('sync')).code === 0)
  for (const name of names) expect([await isConfirmed(name), await pi.difference(name)]).toEqual([true, ''])
  expect(proxy.cuts).toBe(cuts)
  console.log(
    `${proxy.cuts} cuts, ${names.length} folders of ${bytes / 1e6} MB, ${(proxy.bytes / 1e6).toFixed(1)} MB sent`
  )
})

test('an interrupted transfer is not begun anew', async () => {
  const proxy = await CuttingProxy.start(primary.port)
  more.push({ remove: () => proxy.close() })
  await pi.configure([`port = ${proxy.port}`])
  primary.watch('north')
  const name = await pi.seal(0, 12_000_000)
  for (let i = 0; i < 3; i++) {
    // Three times less than a third: each cut does come.
    proxy.cutAfterBytes = 3_000_000
    await until(async () => (await pi.understudy('sync')).err.includes('UNDERSTUDY_SYNC_CUT') || proxy.cuts > i)
  }
  await until(async () => (await pi.understudy('sync')).code === 0)
  expect(await pi.difference(name)).toBe('')
  // Begun anew each time it would be 21 MB.
  expect(proxy.bytes).toBeLessThan(18_000_000)
  expect(await readdir(`${primary.directory}/north/.partial/daily`)).toEqual([])
})

describe('the keys', () => {
  test('upload cannot delete, overwrite or read; receipts cannot write; neither runs a command', async () => {
    primary.watch('north')
    const name = await pi.seal(0)
    expect((await pi.understudy('sync')).code).toBe(0)
    const shell = `ssh -F "${pi.data}/sync/ssh_config"`
    const rsync = (...args: string[]) => ran('rsync', ['-e', shell, ...args])
    const spoilt = `${pi.data}/spoilt`
    await realFiles.writeFile(spoilt, 'spoilt')
    const file = `${name}/spin30.jsonl.zst`

    const refused = [
      await rsync('-r', '--delete', `${pi.data}/sync/receipts/`, 'upload:./'),
      await rsync('--remove-source-files', spoilt, 'upload:other'),
      await rsync('-r', 'upload:./', `${pi.data}/read/`),
      await rsync(`upload:${file}`, `${pi.data}/read`),
      await rsync('--partial-dir=.x', spoilt, `upload:${file}`),
      await rsync('--backup', '--suffix=x', spoilt, `upload:${file}`),
      await rsync(spoilt, 'upload:../north/x'),
      await rsync(spoilt, 'receipts:x'),
      await ran('ssh', ['-F', `${pi.data}/sync/ssh_config`, 'upload', `rm -r ${pi.there(name)}`]),
      await ran('ssh', ['-F', `${pi.data}/sync/ssh_config`, 'receipts', 'id'])
    ]
    for (const { code } of refused) expect(code).not.toBe(0)
    // These are let in, and change nothing.
    for (const options of [['--inplace'], ['--append'], ['--ignore-times'], []])
      await rsync(...options, spoilt, `upload:${file}`)
    expect(await pi.difference(name)).toBe('')
    expect(await readdir(`${primary.directory}/north/daily`)).toEqual([name.split('/')[1]])
  })

  test('are made once, for their owner alone', async () => {
    const again = JSON.parse((await pi.understudy('sync', '--setup', '--json')).out)
    const { authorizedKeys } = JSON.parse((await pi.understudy('sync', '--setup', '--json')).out)
    expect(authorizedKeys).toEqual(again.authorizedKeys)
    expect(authorizedKeys[0]).toMatch(
      /^command="rrsync -wo -no-del -no-overwrite \S+\/north",restrict ssh-ed25519 \S+ /
    )
    expect((await realFiles.info(`${pi.data}/sync/id_ed25519`))?.mode).toBe(0o600)
    expect((await realFiles.info(`${pi.data}/sync/id_ed25519-receipts`))?.mode).toBe(0o600)
  })

  test('an unrestricted one is not used', async () => {
    const { out } = await ran('ssh-keygen', ['-y', '-f', `${pi.data}/sync/id_ed25519`])
    const other = await Primary.start()
    more.push(other)
    await other.install('north', [out.trim()])
    await pi.configure([`port = ${other.port}`])
    await pi.seal(0)
    expect((await pi.understudy('sync')).err).toContain('UNDERSTUDY_SYNC_UNRESTRICTED')
  })
})

test('a changed host key stops it, and what helps is in its words', async () => {
  primary.watch('north')
  await pi.seal(0)
  expect((await pi.understudy('sync')).code).toBe(0)
  await primary.renewHostKey()
  const name = await pi.seal(1)
  const { code, err } = await pi.understudy('sync')
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('UNDERSTUDY_SYNC_HOST_KEY') })
  expect(err).toContain('known_hosts')
  await ran('ssh-keygen', ['-R', `[127.0.0.1]:${primary.port}`, '-f', `${pi.data}/sync/known_hosts`])
  expect((await pi.understudy('sync')).code).toBe(0)
  expect(await pi.difference(name)).toBe('')
})

test.skipIf(userInfo().uid !== 0 && process.env['CI'] !== 'true')(
  'a full disk on the far side is told of; with room again the far side is identical (as root)',
  async () => {
    const folder = await mkdtemp(`${tmpdir()}/understudy-full-`)
    await mount('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder)
    more.push({
      remove: async () => {
        await unmount(folder)
        await rm(folder, { recursive: true })
      }
    })
    const small = await Primary.start(`${folder}/far`)
    const from = await Pi.make('south', small)
    more.unshift(from, small)
    const name = await from.seal(0, 6_000_000)
    for (let i = 0; i < 2; i++) {
      const { code, err } = await from.understudy('sync')
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('UNDERSTUDY_SYNC_FAR_FULL') })
      expect(existsSync(from.there(name))).toBe(false)
    }
    await mount('-o', 'remount,size=40m', folder)
    small.watch('south')
    await until(async () => (await from.understudy('sync')).code === 0)
    expect(await from.difference(name)).toBe('')
  }
)

test.skipIf(userInfo().uid !== 0 && process.env['CI'] !== 'true')(
  'a full disk on this side is told of as one here; with room again what was sent is confirmed (as root)',
  async () => {
    primary.watch('north')
    const name = await pi.seal(0)
    const receipts = `${pi.data}/sync/receipts`
    await mkdir(receipts, { recursive: true })
    await mount('-t', 'tmpfs', '-o', 'nr_inodes=1', 'tmpfs', receipts)
    try {
      const { code, err } = await pi.understudy('sync')
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('UNDERSTUDY_SYNC_NEAR_FULL') })
    } finally {
      await unmount(receipts)
    }
    expect(JSON.parse((await pi.understudy('sync', '--json')).out)).toMatchObject({ sent: [], confirmed: [name] })
  }
)

test('a running recorder is asked, and its status says how it stands', async () => {
  primary.watch('north')
  const name = await pi.seal(0)
  const recorder = pi.spawn('run')
  const exit = new Promise((resolve) => recorder.once('exit', resolve))
  try {
    await until(async () => (await pi.understudy('status')).code !== 4)
    const { code, out } = await pi.understudy('sync', '--json')
    expect([code, JSON.parse(out)]).toEqual([0, { sent: [name], confirmed: [name], waiting: [], differing: [] }])
    expect((await pi.understudy('status')).out).toContain('1 folder with the primary, proved')
  } finally {
    recorder.kill('SIGTERM')
    await exit
  }
})
