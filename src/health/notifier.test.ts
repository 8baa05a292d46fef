import { expect, test } from 'vitest'
import { certificate, proxying, serving } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import { report } from './fixtures.ts'
import { judge } from './judge.ts'
import { Notifier } from './notifier.ts'

test('it takes the way that is configured: through the proxy, trusting the certificate', async () => {
  const tls = await certificate()
  const came = Promise.withResolvers<string>()
  const sink = await serving(
    {
      async request({ body }) {
        came.resolve(body)
        return { status: 200, body: '' }
      }
    },
    tls
  )
  const proxy = await proxying()
  const found = report({ streams: [] })
  const nothing = (): void => {}
  const notifier = new Notifier(
    await realWorld(),
    {
      url: `https://${sink.address}/hook`,
      route: () => ({ proxy: proxy.url, ca: tls.cert }),
      current: () => ({ report: found, verdict: judge(found) })
    },
    { debug: nothing, info: nothing, warn: nothing, error: nothing }
  )
  notifier.start()
  expect(JSON.parse(await came.promise)).toMatchObject({
    format: 1,
    kind: 'heartbeat',
    site: 'edinburgh',
    state: 'failing',
    reasons: [{ code: 'no-streams' }]
  })
  expect(proxy.targets).toEqual([sink.address])
  notifier.stop()
})
