import { describe, expect, test } from 'vitest'
import { Lab } from './fixtures.ts'

describe('a process that is stopped', () => {
  async function stalled(messages: number): Promise<Lab> {
    const lab = new Lab()
    await lab.begin()
    const student = await lab.student()
    await lab.simulation.run(1000)
    lab.pi.stall(10_000)
    for (let i = 0; i < messages; i++) {
      student.send(`{"t":${i}}`)
      await lab.simulation.run(9000 / messages)
    }
    await lab.simulation.run(10_000)
    return lab
  }

  test('is uncertain when 128 messages came', async () => {
    const lab = await stalled(150)
    expect(lab.count('uncertain')).toBe(1)
    const [fromUs, toUs, reason] = lab.of('uncertain')[0]!.split(' ').slice(1)
    expect(reason).toBe('stalled')
    expect(Number(toUs) - Number(fromUs)).toBeGreaterThan(10_000_000)
    expect(Number(toUs) - Number(fromUs)).toBeLessThan(13_000_000)
  })

  test('is whole when few came', async () => {
    const lab = await stalled(60)
    expect(lab.count('uncertain')).toBe(0)
    expect(lab.of('frame').length).toBeGreaterThan(0)
    expect(lab.count('lost')).toBe(1)
  })

  test('does not take its own absence for silence', async () => {
    const lab = new Lab()
    await lab.begin()
    lab.pi.stall(40_000)
    await lab.simulation.run(60_000)
    expect(lab.of('lost', 'heard')).toEqual(['lost connecting', 'heard'])
  })

  test('is uncertain when the relay gave it up meanwhile', async () => {
    const lab = new Lab()
    await lab.begin()
    lab.pi.stall(200_000)
    await lab.simulation.run(205_000)
    expect(lab.of('lost', 'uncertain').map((told) => told.replace(/\d+/g, 'n'))).toEqual([
      'lost connecting',
      'uncertain n n stalled',
      'lost disconnected'
    ])
  })
})

describe('holding', () => {
  test('stops reading; what waited comes at the release, whole', async () => {
    const lab = new Lab({ roster: { live: ['spin30'] } })
    await lab.begin()
    const student = await lab.student()
    lab.roster.hold('disk full')
    student.send('{}')
    await lab.simulation.run(3500)
    expect(lab.count('frame')).toBe(0)
    lab.roster.release()
    await lab.simulation.run(5000)
    expect(lab.of('frame', 'uncertain')).toEqual(['frame {} false'])
  })

  test('is uncertain when much came', async () => {
    const lab = new Lab()
    await lab.begin()
    const student = await lab.student()
    lab.roster.hold('disk full')
    for (let i = 0; i < 300; i++) student.send('{}')
    await lab.simulation.run(10_000)
    lab.roster.release()
    await lab.simulation.run(5000)
    expect(lab.count('uncertain')).toBe(1)
    expect(lab.of('uncertain')[0]).toMatch(/disk full$/)
  })

  test('keeps the connection for an hour', async () => {
    const lab = new Lab()
    await lab.begin()
    lab.roster.hold('disk full')
    await lab.simulation.run(3_600_000)
    expect(lab.of('lost')).toEqual(['lost connecting'])
    lab.roster.release()
    await lab.simulation.run(60_000)
    expect(lab.of('lost', 'uncertain')).toEqual(['lost connecting'])
  })
})

describe('a frame that is larger than we take', () => {
  test('is uncertain from when all was last read, and is asked for ever more rarely', async () => {
    const lab = new Lab({ roster: { maxPayloadBytes: 1000 } })
    await lab.begin()
    const student = await lab.student()
    await lab.simulation.run(20_000)
    const sentUs = lab.pi.clock.monoUs()
    student.send('x'.repeat(2000))
    await lab.simulation.run(10_000)
    const [fromUs, toUs, ...reason] = lab.of('uncertain')[0]!.split(' ').slice(1)
    expect(reason.join(' ')).toBe('frame too large')
    expect(Number(fromUs)).toBeLessThanOrEqual(sentUs)
    expect(Number(fromUs)).toBeGreaterThan(sentUs - 1_500_000)
    expect(Number(toUs)).toBeGreaterThan(sentUs)
    expect(lab.of('lost').at(-1)).toBe('lost disconnected UNDERSTUDY_RELAY_FRAME')
    await lab.simulation.run(600_000)
    const before = lab.count('heard')
    for (let frames = 0; frames < 600; frames++) {
      student.send('x'.repeat(2000))
      await lab.simulation.run(1000)
    }
    expect(lab.count('heard') - before).toBeLessThan(60)
  })
})
