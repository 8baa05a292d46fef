import { afterEach, expect, test } from 'vitest'
import { asked, five, said } from '../analytics/standby/fixtures.ts'
import { told } from '../journal/fixtures.ts'
import { Lab } from './fixtures.ts'

const lab = new Lab()
afterEach(() => lab.stop())

test('the folder of a day says how the primary answered, on each stream', async () => {
  await lab.start()
  const { journal, simulation } = lab
  const say = (text: string, stream = 'spin30'): unknown => journal.append(told(stream, text))
  for (const stream of ['spin30', 'spin31', 'spin32']) {
    journal.hearing.added(stream)
    journal.hearing.heard(stream)
    say('{"type":"log"}', stream)
  }
  say(asked())
  say(asked('centroids', 'bob'), 'spin31')
  await simulation.run(1000)
  for (const content of five) say(said(content))
  await simulation.run(60_000)
  const fromUs = simulation.trueWallUs
  say(asked())
  await simulation.run(3000)
  for (const content of five) journal.append({ ...told('spin30', ` ${said(content)}`), origin: 'own' })
  // It was heard up to the request: the reply may have come unheard.
  journal.hearing.lost('spin31', 'disconnected')
  await simulation.run(120_000)
  const toUs = simulation.trueWallUs
  say(said('centroids'))
  // By the end of the day all streams are heard to the end.
  await lab.live(17)
  const [folder] = await lab.sealed()
  const measured = Object.fromEntries(folder!.manifest.streams.map(({ stream, primary }) => [stream, primary]))
  expect(measured).toEqual({
    spin30: { asked: 10, replied: 5, repliedUs: 5e6, longestUs: 1e6, stoodIn: 5, outages: [{ fromUs, toUs }] },
    spin31: { asked: 0, replied: 0, repliedUs: 0, longestUs: 0, stoodIn: 0, outages: [] },
    spin32: undefined
  })
})
