import { expect, test } from 'vitest'
import type { CaptureConfig } from '../config/config.ts'
import { directory } from '../journal/fixtures.ts'
import type { Files, OpenFile } from '../world/files.ts'
import { daily, HOUR_MS, Lab } from './fixtures.ts'
import { sealSteps } from './seal.ts'
import { capturesPath } from './sealed.ts'
import { verifyCaptures } from './verify-captures.ts'

/** 23:30 in London: one window ends half an hour later. */
const LATE_US = Date.UTC(2026, 10, 2, 23, 30) * 1000

/** Files that call `before` with every operation that is asked of them. */
function counted(files: Files, before: (what: string) => void): Files {
  const each = <T extends object>(target: T, name: string): T =>
    new Proxy(target, {
      get(object, key) {
        const value = Reflect.get(object, key) as unknown
        if (typeof value !== 'function') return value
        return async (...args: unknown[]): Promise<unknown> => {
          before(`${name}${String(key)}`)
          const given = (await value.apply(object, args)) as unknown
          return key === 'open' ? each(given as OpenFile, `${name}open.`) : given
        }
      }
    })
  return each(files, '')
}

/** Lives over midnight, and at the given operation of captures on the disk everything stops; gives what that was. */
async function live(
  stopAt: number,
  stop: (lab: Lab) => void,
  format: CaptureConfig['format']
): Promise<string | undefined> {
  const lab = new Lab([{ ...daily, format }], stopAt, LATE_US)
  let operations = 0
  let stoppedAt: string | undefined
  lab.through = (world) => ({
    ...world,
    files: counted(world.files, (what) => {
      // The few before are of the start, when nothing is due.
      if (lab.simulation.nowUs < 1_790_000_000 || ++operations !== stopAt) return
      stoppedAt = what
      stop(lab)
    })
  })
  await lab.start()
  for (let minute = 0; minute < 40 && stoppedAt === undefined; minute++) {
    lab.journal.append(lab.message(minute % 2 === 0 ? 'spin30' : 'spin31'))
    await lab.simulation.run(60_000)
  }
  if (stoppedAt === undefined) return undefined
  lab.machine.boot()
  lab.through = (world) => world
  const { files } = lab.machine.world
  const root = capturesPath(directory)
  const found = await lab.do(verifyCaptures(lab.machine.world, root))
  expect(found.folders).toBeLessThanOrEqual(1)
  expect(found.problems).toEqual([])
  await lab.start()
  await lab.live(0.5, HOUR_MS / 60)
  const sealed = await lab.sealed()
  expect(sealed.map(({ folder }) => folder)).toEqual(['2026-11-02'])
  const after = await lab.do(verifyCaptures(lab.machine.world, root))
  expect(after).toMatchObject({ folders: 1, files: 2, problems: [] })
  expect((await lab.do(files.list(`${root}/daily`))).map(({ name }) => name)).toEqual(['2026-11-02'])
  const { toUs = 0 } = sealed[0]!.manifest.window ?? {}
  const frames = sealed[0]!.manifest.streams.reduce((sum, stream) => sum + stream.frames, 0)
  expect(frames).toBe((await lab.range(0, toUs)).length)
  return stoppedAt
}

const kill = (lab: Lab): void => lab.machine.kill()
const cutPower = (lab: Lab): void => lab.machine.cutPower()

test.each([
  ['kill -9', 'envelope', kill],
  ['a power cut', 'envelope', cutPower],
  ['kill -9', 'parquet', kill],
  ['a power cut', 'parquet', cutPower]
] as const)(
  '%s at any operation between due and sealed leaves one whole folder of %s, or none',
  async (_, format, stop) => {
    const stopped: string[] = []
    for (let at = 1; ; at++) {
      const what = await live(at, stop, format)
      if (what === undefined) break
      stopped.push(what)
    }
    expect(stopped).toEqual(expect.arrayContaining(['makeDirectory', 'open', 'open.write', 'open.sync', 'open.read']))
    // of two files, and of the folder
    expect(stopped.filter((what) => what === 'rename').length).toBe(3)
    expect(stopped.filter((what) => what === 'syncDirectory').length).toBe(2)
  }
)

test.each(sealSteps)('kill -9 when it is %s: the window is there once', async (step) => {
  const lab = new Lab([daily], 1, LATE_US)
  lab.step = (reached) => {
    if (reached === step) lab.machine.kill()
  }
  await lab.start()
  await lab.live(0.6, HOUR_MS / 60)
  lab.step = () => {}
  lab.machine.start()
  await lab.start()
  await lab.live(0.1, HOUR_MS / 60)
  expect(await lab.folders()).toEqual(['daily/2026-11-02'])
  const { files } = lab.machine.world
  expect((await lab.do(verifyCaptures(lab.machine.world, capturesPath(directory)))).problems).toEqual([])
  // Also when nothing but the journal's events and the folders is left to tell.
  await lab.stop()
  await lab.do(files.remove(`${directory}/readers`))
  await lab.start()
  await lab.live(0.1, HOUR_MS / 60)
  expect(await lab.folders()).toEqual(['daily/2026-11-02'])
})
