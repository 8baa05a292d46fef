import { expect, test } from 'vitest'
import { encoded } from '../../test/support/encoded.ts'
import { asked, five, said } from '../analytics/standby/fixtures.ts'
import { directory, told } from '../journal/fixtures.ts'
import { Lab } from './fixtures.ts'
import { envelope } from './formats/envelope.ts'

/** A new card with the former one's data disk: sealed folders lay on the card. */

const mount = '/media/usb'

/** A lab that has sealed three days. */
async function aLab(): Promise<Lab> {
  const lab = new Lab()
  lab.disk = mount
  lab.machine.mount(mount)
  await lab.start()
  await lab.live(65)
  expect(await lab.folders()).toEqual(['daily/2026-11-02', 'daily/2026-11-03', 'daily/2026-11-04'])
  return lab
}

async function newCard(lab: Lab): Promise<void> {
  lab.machine.cutPower()
  const usb = lab.machine.detach(mount)
  lab.machine = lab.simulation.machine('another pi')
  lab.machine.attach(mount, usb)
  await lab.start()
}

async function restart(lab: Lab): Promise<void> {
  await lab.stop()
  await lab.start()
  await lab.live(1)
}

test('days that were not confirmed are sealed anew, beside those of the former card, and once', async () => {
  const lab = await aLab()
  const [first] = await lab.sealed()
  const ledger = await lab.do(lab.captures.ledger())
  expect(await lab.do(ledger.confirmed('daily', first!.folder, first!.manifestSha256))).toBe(true)
  await lab.live(1)
  await newCard(lab)
  await lab.live(1)
  const anew = ['daily/2026-11-03-2', 'daily/2026-11-04-2']
  expect(await lab.folders()).toEqual(anew)
  for (const { folder, manifest } of await lab.sealed()) {
    const { fromUs, toUs } = manifest.window!
    const frames = await lab.range(fromUs, toUs)
    expect(frames.length).toBe(48)
    expect(await lab.content(`daily/${folder}/spin30.jsonl.zst`)).toBe(encoded(envelope, frames).lines)
    expect(manifest).toMatchObject({ supplement: 2, supplements: folder.slice(0, 10) })
    // What comes after it is not known to be elsewhere while it is not.
    expect(manifest.journal.completeBelow).toBeLessThanOrEqual((await lab.range(toUs, 2 * toUs))[0]!.position)
  }
  const [status] = await lab.do(lab.captures.status())
  expect(status?.sealed.map(({ folder, confirmed, removed }) => [folder, confirmed, removed])).toEqual([
    ['2026-11-02', true, true],
    ['2026-11-03', false, true],
    ['2026-11-04', false, true],
    ['2026-11-03-2', false, false],
    ['2026-11-04-2', false, false]
  ])
  await restart(lab)
  await lab.stop()
  await lab.do(lab.machine.world.files.remove(`${directory}/readers`))
  await lab.start()
  await lab.live(1)
  expect(await lab.folders()).toEqual(anew)
  await lab.live(24)
  expect(await lab.folders()).toEqual([...anew, 'daily/2026-11-05'])
})

test('what is sealed anew measures the primary as the first did', async () => {
  const lab = new Lab()
  lab.disk = mount
  lab.machine.mount(mount)
  await lab.start()
  lab.journal.hearing.added('spin30')
  lab.journal.hearing.heard('spin30')
  lab.journal.append(told('spin30', asked()))
  await lab.simulation.run(1000)
  for (const content of five) lab.journal.append(told('spin30', said(content)))
  await lab.live(17)
  const [before] = await lab.sealed()
  expect(before?.manifest.streams[0]?.primary).toMatchObject({ asked: 5, replied: 5 })
  await newCard(lab)
  await lab.live(1)
  const [anew] = await lab.sealed()
  expect(anew?.folder).toBe('2026-11-02-2')
  expect(anew?.manifest.streams[0]?.primary).toEqual(before?.manifest.streams[0]?.primary)
})

/** Confirms all that is sealed; a new card then seals nothing of it anew, however often it is started. */
async function expectKnown(lab: Lab): Promise<void> {
  const ledger = await lab.do(lab.captures.ledger())
  for (const { folder, manifestSha256 } of await lab.sealed()) {
    expect(await lab.do(ledger.confirmed('daily', folder, manifestSha256))).toBe(true)
  }
  await lab.live(1)
  await newCard(lab)
  await lab.live(1)
  await restart(lab)
  await restart(lab)
  expect(await lab.folders()).toEqual([])
  await lab.live(24)
  expect(await lab.folders()).toEqual(['daily/2026-11-05'])
}

test('what is known from the journal stays known, when nothing has been sealed since', async () => {
  await expectKnown(await aLab())
})

test('the same, where a disk came later than the first word of the capture', async () => {
  const lab = new Lab()
  lab.disk = mount
  await lab.start()
  await lab.live(3)
  await lab.stop()
  lab.machine.mount(mount)
  await lab.start()
  await lab.live(62)
  await expectKnown(lab)
})

test('a day without a message that was not confirmed is sealed anew for what was heard', async () => {
  const lab = new Lab()
  lab.disk = mount
  lab.machine.mount(mount)
  await lab.start()
  await lab.live(8)
  await lab.simulation.run(36 * 3_600_000)
  expect(await lab.folders()).toEqual(['daily/2026-11-02', 'daily/2026-11-03'])
  await newCard(lab)
  await lab.live(1)
  expect(await lab.folders()).toEqual(['daily/2026-11-02-2', 'daily/2026-11-03-2'])
  await restart(lab)
  await lab.live(5)
  expect((await lab.folders()).length).toBe(2)
})
