import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { aMachine, openJournal, told } from './fixtures.ts'
import type { Journal } from './journal.ts'
import type { JournalReader, StreamCoverage } from './reading.ts'
import { openSnapshot } from './snapshot.ts'

const S = 1_000_000
const spin = 'spin30'

/** A recorder on a simulated machine; `at` lets time pass until so many seconds after the first start. */
async function recorder(seed = 1): Promise<{
  machine: Machine
  journal: Journal
  startUs: number
  at(seconds: number): Promise<void>
  start(): Promise<Journal>
}> {
  const machine = aMachine(seed)
  const { simulation } = machine
  const startUs = simulation.trueWallUs
  const start = (): Promise<Journal> => openJournal(machine.world)
  return {
    machine,
    startUs,
    start,
    at: (seconds) => simulation.run((startUs + seconds * S - simulation.trueWallUs) / 1000),
    journal: await start()
  }
}

/** A stream's coverage from the start on, in seconds: `heard` or what else it was, from when, to when. */
async function lines(reader: JournalReader, startUs: number, stream = spin): Promise<Array<[string, number, number]>> {
  const [coverage] = await reader.coverage({ streams: [stream], fromUs: startUs })
  adds(coverage!)
  return coverage!.rest.map(({ kind, cause, code, fromUs, toUs }) => [
    [kind, cause, code].filter(Boolean).join(' '),
    (fromUs - startUs) / S,
    (toUs - startUs) / S
  ])
}

function adds({ fromUs, toUs, heardUs, share, rest }: StreamCoverage): void {
  expect(rest.reduce((sum, part) => sum + part.toUs - part.fromUs, heardUs)).toBe(toUs - fromUs)
  let before = fromUs
  for (const part of rest) {
    expect(part.fromUs).toBeGreaterThanOrEqual(before)
    expect(part.toUs).toBeGreaterThan(part.fromUs)
    before = part.toUs
  }
  expect(before).toBeLessThanOrEqual(toUs)
  expect(share).toBeCloseTo(toUs > fromUs ? heardUs / (toUs - fromUs) : 1, 12)
}

async function snapshotLines(machine: Machine, startUs: number): Promise<Array<[string, number, number]>> {
  const snapshot = await openSnapshot(machine.world, '/data')
  try {
    return await lines(snapshot, startUs)
  } finally {
    await snapshot.close()
  }
}

test('a stream nobody has heard of was not started', async () => {
  const { journal, startUs, at } = await recorder()
  await at(10)
  expect(await lines(journal, startUs)).toEqual([['gap not started', 0, 10]])
})

test('connecting, heard from the first proof to the last, then a gap from the last proof on', async () => {
  const { journal, startUs, at } = await recorder()
  const { hearing } = journal
  await at(1)
  hearing.added(spin)
  await at(3)
  hearing.heard(spin)
  await at(5)
  hearing.proof(spin)
  await at(9)
  hearing.lost(spin, 'disconnected')
  await at(12)
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([
    ['gap not started', 0, 1],
    ['gap connecting', 1, 3],
    ['gap disconnected', 5, 12]
  ])
})

test.each(['connecting', 'disconnected', 'silent', 'stopped'] as const)('a gap says that it was %s', async (cause) => {
  const { journal, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(4)
  journal.hearing.lost(spin, cause)
  await journal.commit()
  await at(6)
  expect(await lines(journal, startUs)).toEqual([[`gap ${cause}`, 0, 6]])
})

test('a refusal comes with its code; another cause begins where it was told, the same one does not begin again', async () => {
  const { journal, startUs, at } = await recorder()
  const { hearing } = journal
  hearing.added(spin)
  await at(2)
  hearing.lost(spin, 'refused', 'UNDERSTUDY_RELAY_DENIED')
  await at(3)
  hearing.lost(spin, 'refused', 'UNDERSTUDY_RELAY_DENIED')
  await at(5)
  hearing.lost(spin, 'refused', 'UNDERSTUDY_RELAY_TOKEN_EXPIRED')
  await at(7)
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([
    ['gap connecting', 0, 2],
    ['gap refused UNDERSTUDY_RELAY_DENIED', 2, 5],
    ['gap refused UNDERSTUDY_RELAY_TOKEN_EXPIRED', 5, 7]
  ])
})

test('frames prove hearing', async () => {
  const { journal, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(4)
  journal.hearing.frame(spin, Buffer.from('{}'), false)
  await at(6)
  journal.hearing.lost(spin, 'silent')
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([['gap silent', 4, 6]])
})

test('what is heard now is covered up to its last proof', async () => {
  const { journal, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(4)
  journal.hearing.proof(spin)
  await at(6)
  await journal.commit()
  const [coverage] = await journal.coverage({ streams: [spin], fromUs: startUs })
  expect(coverage).toMatchObject({ heardUs: 4 * S, toUs: startUs + 4 * S, share: 1, rest: [] })
})

test('uncertain within what was heard, and not where it was not', async () => {
  const { journal, machine, startUs, at } = await recorder()
  const { hearing } = journal
  const mono = (): number => machine.clock.monoUs()
  const zero = mono()
  hearing.heard(spin)
  await at(10)
  hearing.proof(spin)
  hearing.uncertain(spin, zero + 2 * S, zero + 3 * S, 'memory full')
  hearing.lost(spin, 'disconnected')
  await at(14)
  hearing.uncertain(spin, zero + 9 * S, mono(), 'stalled')
  hearing.heard(spin)
  await at(15)
  hearing.proof(spin)
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([
    ['uncertain memory full', 2, 3],
    ['uncertain stalled', 9, 10],
    ['gap disconnected', 10, 14]
  ])
})

test('streams do not touch each other', async () => {
  const { journal, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  journal.hearing.heard('spin31')
  await at(2)
  journal.hearing.proof('spin31')
  journal.hearing.lost(spin, 'silent')
  await at(3)
  journal.hearing.proof('spin31')
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([['gap silent', 0, 3]])
  expect(await lines(journal, startUs, 'spin31')).toEqual([])
  const names = (await journal.coverage()).map(({ stream }) => stream)
  expect(names).toEqual(['spin30', 'spin31'])
})

test('a clean end is a gap from the last proof, until the stream is wanted again', async () => {
  const { journal, startUs, at, start } = await recorder()
  journal.hearing.added(spin)
  journal.hearing.heard(spin)
  await at(4)
  journal.hearing.proof(spin)
  await at(5)
  await journal.close()
  await at(8)
  const again = await start()
  again.hearing.added(spin)
  await at(9)
  again.hearing.heard(spin)
  await again.commit()
  expect(await lines(again, startUs)).toEqual([
    ['gap stopped', 4, 8],
    ['gap connecting', 8, 9]
  ])
})

test('after a kill the gap begins at the last proof on record', async () => {
  const { journal, machine, startUs, at, start } = await recorder()
  journal.hearing.added(spin)
  journal.hearing.heard(spin)
  await at(4)
  journal.hearing.frame(spin, Buffer.from('{}'), false)
  await at(6)
  machine.kill()
  machine.start()
  await at(8)
  expect(await snapshotLines(machine, startUs)).toEqual([['gap stopped', 4, 8]])
  const again = await start()
  again.hearing.added(spin)
  again.hearing.heard(spin)
  await at(9)
  again.hearing.proof(spin)
  await again.commit()
  expect(await lines(again, startUs)).toEqual([['gap stopped', 4, 8]])
})

test('a quiet stream was heard until the last head before the kill', async () => {
  const { journal, machine, startUs, at } = await recorder()
  journal.hearing.added(spin)
  journal.hearing.heard(spin)
  for (let second = 1; second <= 24; second++) {
    await at(second)
    journal.hearing.proof(spin)
  }
  machine.kill()
  machine.start()
  await at(40)
  const [[what, fromS, toS]] = (await snapshotLines(machine, startUs)) as [[string, number, number]]
  expect([what, toS]).toEqual(['gap stopped', 40])
  expect(fromS).toBeGreaterThanOrEqual(14)
  expect(fromS).toBeLessThanOrEqual(24)
})

test('a power cut is a gap from the last proof that was on the disk, and the host rebooted', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { journal, machine, startUs, at, start } = await recorder(seed)
    journal.hearing.added(spin)
    journal.hearing.heard(spin)
    for (let second = 1; second <= 24; second++) {
      await at(second)
      journal.hearing.proof(spin)
    }
    machine.boot()
    await at(40)
    const again = await start()
    again.hearing.added(spin)
    again.hearing.heard(spin)
    await at(41)
    again.hearing.proof(spin)
    await again.commit()
    const [[what, fromS, toS]] = (await lines(again, startUs)) as [[string, number, number]]
    expect([what, toS]).toEqual(['gap host rebooted', 40])
    expect(fromS).toBeGreaterThanOrEqual(14)
    expect(fromS).toBeLessThanOrEqual(24)
  }
})

test('what was appended and lost with the kill is not said to have been heard', async () => {
  const { journal, machine, startUs, at } = await recorder()
  journal.hearing.added(spin)
  journal.hearing.heard(spin)
  await at(4)
  journal.hearing.proof(spin)
  await journal.commit()
  await at(9.8)
  journal.hearing.frame(spin, Buffer.from('{}'), false)
  await at(10.1)
  journal.hearing.proof(spin)
  machine.kill()
  machine.start()
  await at(12)
  const [[what, fromS]] = (await snapshotLines(machine, startUs)) as [[string, number, number]]
  expect(what).toBe('gap stopped')
  expect(fromS).toBeLessThanOrEqual(9.8)
})

test('a clock that steps forward while a stream is heard makes no gap', async () => {
  const { journal, machine, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(2)
  machine.clock.step(3600 * S)
  await at(3)
  journal.hearing.proof(spin)
  await at(4)
  journal.hearing.proof(spin)
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([])
})

test('a step back neither: the wall time that came twice counts once', async () => {
  const { journal, machine, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(10)
  journal.hearing.proof(spin)
  machine.clock.step(-5 * S)
  await at(12)
  journal.hearing.proof(spin)
  await journal.commit()
  const [coverage] = await journal.coverage({ streams: [spin], fromUs: startUs, toUs: startUs + 7 * S })
  adds(coverage!)
  expect(coverage!.rest).toEqual([])
})

test('the hours before the clock was set count by the right time', async () => {
  const { machine, startUs, at } = await recorder()
  machine.kill()
  machine.boot()
  machine.clock.setWall(0)
  machine.clock.setSynchronised(false)
  const journal = await openJournal(machine.world, { directory: '/data/second' })
  journal.hearing.heard(spin)
  await at(20)
  journal.hearing.lost(spin, 'silent')
  await at(30)
  machine.clock.setWall(machine.simulation.trueWallUs)
  machine.clock.setSynchronised(true)
  await at(45)
  journal.hearing.heard(spin)
  await at(50)
  journal.hearing.proof(spin)
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([['gap silent', 0, 45]])
})

test('a part of a period, and periods outside of what there is', async () => {
  const { journal, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(10)
  journal.hearing.proof(spin)
  journal.hearing.lost(spin, 'disconnected')
  await at(20)
  await journal.commit()
  const of = async (fromS: number, toS: number): Promise<StreamCoverage> => {
    const query = { streams: [spin], fromUs: startUs + fromS * S, toUs: startUs + toS * S }
    const [coverage] = await journal.coverage(query)
    adds(coverage!)
    return coverage!
  }
  expect(await of(5, 15)).toMatchObject({ share: 0.5, rest: [{ cause: 'disconnected', fromUs: startUs + 10 * S }] })
  expect(await of(2, 4)).toMatchObject({ share: 1, rest: [] })
  expect(await of(-10, -5)).toMatchObject({ share: 0, rest: [{ cause: 'not started' }] })
  expect(await of(15, 1000)).toMatchObject({ share: 0, toUs: startUs + 20 * S })
  expect(await of(30, 40)).toMatchObject({ share: 1, heardUs: 0, rest: [] })
})

test('imports and what this Pi sends itself prove no hearing', async () => {
  const { journal, startUs, at } = await recorder()
  journal.hearing.heard(spin)
  await at(5)
  journal.append({ ...told(spin, '{}'), origin: 'own' })
  const stamp = { wallUs: startUs, monoUs: 99 * S, boot: 'another', source: 'ntp' } as const
  journal.append({ ...told(spin, '{}'), origin: 'import', stamp })
  journal.hearing.lost(spin, 'silent')
  await journal.commit()
  expect(await lines(journal, startUs)).toEqual([['gap silent', 0, 5]])
})

test('a doubt that the kill did not let settle stays one, a settled one does not', async () => {
  const { machine, journal, startUs, start, at } = await recorder()
  const { hearing } = journal
  hearing.added(spin)
  hearing.heard(spin)
  await at(10)
  hearing.doubted(spin, 8 * S)
  hearing.doubted(spin, undefined)
  await at(20)
  hearing.doubted(spin, 15 * S)
  await at(30)
  hearing.frame(spin, Buffer.from('{}'), false)
  await at(32)
  machine.kill()
  machine.start()
  const left: Array<[string, number, number]> = [
    ['uncertain stopped', 15, 30],
    ['gap stopped', 30, 32]
  ]
  expect(await snapshotLines(machine, startUs)).toEqual(left)
  expect((await lines(await start(), startUs)).slice(0, 2)).toEqual(left)
})

test('covers up to the moment it is asked for, committed or not, also where nothing can be committed', async () => {
  const { machine, journal, startUs, at } = await recorder()
  const { hearing } = journal
  hearing.added(spin)
  hearing.heard(spin)
  await at(5)
  hearing.proof(spin)
  hearing.lost(spin, 'disconnected')
  await at(8)
  const { monoUs } = journal.append(told(spin, 'a'))
  hearing.uncertain(spin, monoUs - 8 * S, monoUs - 7 * S, 'stalled')
  const whole = [
    ['uncertain stalled', 0, 1],
    ['gap disconnected', 5, 8]
  ]
  expect(await lines(journal, startUs)).toEqual(whole)
  machine.disk.readOnly = true
  hearing.heard(spin)
  await at(12)
  const coverage = lines(journal, startUs)
  expect((await machine.simulation.complete(coverage, 1000)).slice(0, 1)).toEqual(whole.slice(0, 1))
})
