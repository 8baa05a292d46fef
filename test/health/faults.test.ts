import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { sealDay } from '../../src/sync/fixtures.ts'
import { realFiles } from '../../src/world/real/files.ts'
import { Speaker } from '../relay/rig/speaker.ts'
import { LoopDisk } from '../support/loop-disk.ts'
import { Primary } from '../sync/rig.ts'
import { KernelClock } from './kernel-clock.ts'
import { NotifySocket } from './supervised.ts'
import { WatchedRecorder } from './watched-recorder.ts'

/*
 * Each fault is done to the running program for real; then everybody who tells of the verdict says the same, and the
 * program knew within 5 s. That is by its own clock: how long a command takes to start here says nothing of it.
 */

const AGREE_MS = 5000

interface Row {
  readonly fault: string
  readonly code: string
  readonly state: 'attention' | 'failing'
  /** A recorder where all is well. */
  readonly begin: () => Promise<{
    readonly recorder: WatchedRecorder
    /** Does it, and gives since when it is so. */
    readonly inject: () => Promise<number>
    /** Puts it right, where that can be done. */
    readonly heal?: () => Promise<void>
  }>
}

const rows: readonly Row[] = [
  {
    fault: 'a stream is cut',
    code: 'stream-unheard',
    state: 'failing',
    async begin() {
      const recorder = await WatchedRecorder.start()
      return { recorder, inject: () => recorder.relay.stop().then(Date.now), heal: () => recorder.relay.start() }
    }
  },
  {
    fault: 'a token expires',
    code: 'token-expired',
    state: 'failing',
    async begin() {
      const recorder = await WatchedRecorder.start()
      const issue = (expiresInS: number): Promise<void> =>
        recorder.recorder.issue(recorder.relay.credentials('spin30', { expiresInS }))
      return {
        recorder,
        async inject() {
          await issue(25)
          await recorder.untilFound('token-expires')
          return (await recorder.status()).streams[0]!.tokenExpiresMs!
        },
        heal: () => issue(90 * 86_400)
      }
    }
  },
  {
    fault: 'the disk is full',
    code: 'commits-failing',
    state: 'failing',
    async begin() {
      const { recorder, disk } = await onDiskOfItsOwn()
      const other = `${disk.path}/other`
      return { recorder, inject: () => fillUp(recorder, disk.path, other), heal: () => rm(other) }
    }
  },
  {
    fault: 'the clock is not synchronised',
    code: 'clock-unsynchronised',
    state: 'attention',
    async begin() {
      const clock = await KernelClock.take()
      onTestFinished(() => clock.giveBack())
      await clock.synchronised(true)
      const recorder = await WatchedRecorder.start({ clock: 'trust = false' })
      return {
        recorder,
        inject: () => clock.synchronised(false).then(Date.now),
        heal: () => clock.synchronised(true)
      }
    }
  },
  {
    fault: 'the primary refuses what is handed over',
    code: 'sync-refused',
    state: 'attention',
    async begin() {
      const primary = await Primary.start()
      onTestFinished(() => primary.remove())
      const target = `target = "${userInfo().username}@127.0.0.1:${primary.directory}"`
      const recorder = await WatchedRecorder.start({ sync: `${target}\nport = ${primary.port}` })
      return {
        recorder,
        async inject() {
          // No key of ours was ever put there.
          await sealDay(realFiles, recorder.recorder.data, 'understudy', 0, { 'spin30.jsonl.zst': randomBytes(900) })
          expect((await recorder.recorder.command('sync')).code).not.toBe(0)
          return (await recorder.status()).sync.failure!.sinceMs
        },
        async heal() {
          const { authorizedKeys } = await recorder.recorder.json<{ authorizedKeys: string[] }>('sync', '--setup')
          await primary.install('understudy', authorizedKeys)
          primary.watch('understudy')
          expect((await recorder.recorder.command('sync')).code).toBe(0)
        }
      }
    }
  },
  {
    fault: 'a store is damaged',
    code: 'damage',
    state: 'attention',
    async begin() {
      const recorder = await WatchedRecorder.start({ journal: 'store_size = "1MB"' })
      const speaker = await Speaker.join(recorder.relay, 'spin30')
      for (let part = 0; part < 24; part++) await speaker.say([`{"part":"${randomBytes(50_000).toString('base64')}"}`])
      // From then on nobody touches it but who reads it.
      await recorder.recorder.untilLogged({ msg: 'a store is merged' })
      return {
        recorder,
        async inject() {
          const store = `${recorder.recorder.data}/stores/000001`
          for (const name of await readdir(store)) if (name.endsWith('.ldb')) await spoil(`${store}/${name}`)
          const sinceMs = Date.now()
          // Whoever reads it comes upon it; this reads all.
          await recorder.recorder.command('repair', '1')
          return sinceMs
        }
      }
    }
  }
]

test.each(rows)('$fault: everybody says so', async ({ code, state, begin }) => {
  const { recorder, inject, heal } = await begin()
  await recorder.untilFound(undefined)
  const sinceMs = await inject()
  const verdict = await recorder.untilFound(code)
  expect(verdict.state).toBe(state)
  const told = await recorder.untilTold(({ reasons }) => reasons.some((reason) => reason.code === code))
  expect(told.atMs - sinceMs).toBeLessThanOrEqual(AGREE_MS)
  for (const [name, ask] of Object.entries(recorder.channels())) {
    const word = await ask()
    expect(word?.state, name).toBe(state)
    if (word?.sentence !== undefined) expect(word.sentence, name).toBe(verdict.sentence)
  }
  if (!heal) return
  await heal()
  await recorder.untilFound(undefined)
  await recorder.untilTold(({ state: now, atMs }) => now === 'ok' && atMs >= told.atMs)
  for (const [name, ask] of Object.entries(recorder.channels())) expect((await ask())?.state, name).toBe('ok')
})

test('systemd is told by the process itself, on a full disk too, and not while a disk fails', async () => {
  const folder = await mkdtemp(`${tmpdir()}/understudy-health-`)
  onTestFinished(() => rm(folder, { recursive: true }))
  const socket = await NotifySocket.open(`${folder}/notify`)
  const { recorder, disk } = await onDiskOfItsOwn({ NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '2000000' })
  const { pid } = recorder.recorder
  const beats = (): number => socket.told.filter((line) => line === `${pid} WATCHDOG=1`).length
  await socket.until((told) => told.includes(`${pid} READY=1`) && beats() >= 3)
  await socket.until((told) => told.includes(`${pid} STATUS=Everything is being kept: 1 of 1 stream is heard.`))

  await fillUp(recorder, disk.path, `${disk.path}/other`)
  const whenFull = beats()
  await socket.until(() => beats() > whenFull + 2)
  await rm(`${disk.path}/other`)
  await recorder.untilFound(undefined)

  await disk.pull()
  const speaker = await Speaker.join(recorder.relay, 'spin30')
  await speaker.say(['{"still":"here"}'])
  await recorder.untilFound('commits-failing')
  const before = beats()
  // By its own clock: four beats would have come meanwhile.
  const sinceUs = (await recorder.status()).nowUs
  while ((await recorder.status()).nowUs - sinceUs < 2_500_000) await speaker.say(['{"still":"here"}'])
  expect(beats() - before).toBeLessThanOrEqual(1)
  await recorder.recorder.stop()
  await socket.until((told) => told.includes(`${pid} STOPPING=1`))
})

/** A recorder with its data on a disk that nobody else uses. */
async function onDiskOfItsOwn(
  environment: Readonly<Record<string, string>> = {}
): Promise<{ recorder: WatchedRecorder; disk: LoopDisk }> {
  const folder = await mkdtemp(`${tmpdir()}/understudy-health-`)
  const disk = await LoopDisk.make(`${folder}/disk`, 400)
  onTestFinished(async () => {
    await disk.remove()
    await rm(folder, { recursive: true })
  })
  const data = { UNDERSTUDY_DATA: `${disk.path}/data` }
  const recorder = await WatchedRecorder.start({ journal: 'min_free = "100MB"' }, { ...environment, ...data })
  return { recorder, disk }
}

/**
 * Fills a disk until nothing can be committed on it for good: what the recorder keeps free for this moment is filled too,
 * and more waits than the removal of its oldest store could make room for.
 * @returns since when
 */
async function fillUp(recorder: WatchedRecorder, path: string, file: string): Promise<number> {
  const speaker = await Speaker.join(recorder.relay, 'spin30')
  let sinceMs: number | undefined
  for (;;) {
    await crowd(path, file)
    if (sinceMs === undefined) await speaker.say([`{"filler":"${randomBytes(100_000).toString('base64')}"}`])
    const { nowUs, health } = await recorder.status()
    const isFailing = health?.verdict.reasons.some(({ code }) => code === 'commits-failing')
    if (isFailing) sinceMs ??= nowUs / 1000
    else sinceMs = undefined
    if (sinceMs !== undefined && nowUs / 1000 - sinceMs > 2500) return sinceMs
    await sleep(20)
  }
}

/** Leaves nothing free on a disk. */
async function crowd(path: string, file: string): Promise<void> {
  const { bavail, bsize } = await statfs(path)
  const handle = await open(file, 'a')
  try {
    for (let left = bavail * bsize; left > 0; left -= 1 << 20) await handle.write(Buffer.alloc(Math.min(left, 1 << 20)))
    await handle.sync()
  } catch {
    // Less was free than it said.
  } finally {
    await handle.close()
  }
}

/** Turns over bytes in the middle of a file. */
async function spoil(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  const { size } = await handle.stat()
  const middle = Math.floor(size / 2)
  const { buffer } = await handle.read(Buffer.alloc(Math.min(64, size - middle)), 0, 64, middle)
  await handle.write(
    buffer.map((byte) => byte ^ 0xff),
    0,
    buffer.length,
    middle
  )
  await handle.sync()
  await handle.close()
}
