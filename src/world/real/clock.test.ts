import { expect, test, vi } from 'vitest'
import type { Programs } from '../programs.ts'
import { realClock } from './clock.ts'

const noPrograms: Programs = { run: () => Promise.reject(new Error('none')) }

test('the boot is named the same each time', async () => {
  const [one, two] = [await realClock(noPrograms), await realClock(noPrograms)]
  expect(one.boot).toMatch(/^[0-9a-f-]{36}$/)
  expect(two.boot).toBe(one.boot)
})

test('monotonic time counts whole microseconds of the kernel, and never falls', async () => {
  const { monoUs } = await realClock(noPrograms)
  const before = Number(process.hrtime.bigint() / 1000n)
  const times = Array.from({ length: 1000 }, monoUs)
  const after = Number(process.hrtime.bigint() / 1000n)
  const inOrder = [before, ...times, after]
  expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b))
  expect(times.every(Number.isInteger)).toBe(true)
})

test('wall time is that of the system, in microseconds', async () => {
  const { wallUs } = await realClock(noPrograms)
  const before = Date.now()
  expect(wallUs()).toBeGreaterThanOrEqual(before * 1000)
  expect(wallUs()).toBeLessThanOrEqual(Date.now() * 1000)
})

test('the kernel can be asked', async () => {
  const clock = await realClock(noPrograms)
  expect(await clock.synchronised()).toBeTypeOf('boolean')
})

test.each([
  ['synchronised', 0x2001, true],
  ['unsynchronised', 0x2041, false]
])("the kernel's word is taken: %s", async (_, status, expected) => {
  const adjtimex = (timex: Buffer): number => {
    expect(timex.every((byte) => byte === 0)).toBe(true) // anything else would set the clock
    timex.writeInt32LE(status, 40)
    return 5
  }
  vi.doMock('koffi', () => ({ default: { load: () => ({ func: () => adjtimex }) } }))
  expect(await (await realClock(noPrograms)).synchronised()).toBe(expected)
  vi.doUnmock('koffi')
})

test.each([
  ['yes\n', true],
  ['no\n', false],
  ['', false]
])('without koffi systemd is asked, %j is %s', async (stdout, expected) => {
  vi.doMock('koffi', () => ({ default: { load: () => raise('not for this machine') } }))
  const clock = await realClock({ run: async () => ({ code: 0, stdout, stderr: '' }) })
  expect(await clock.synchronised()).toBe(expected)
  vi.doUnmock('koffi')
})

test('when nobody knows, it is not synchronised', async () => {
  vi.doMock('koffi', () => ({ default: { load: () => ({ func: () => () => -1 }) } }))
  expect(await (await realClock(noPrograms)).synchronised()).toBe(false)
  vi.doUnmock('koffi')
})

function raise(message: string): never {
  throw new Error(message)
}
