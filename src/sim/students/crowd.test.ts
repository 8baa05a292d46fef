import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { certificate } from '../../world/real/fixtures.ts'
import { realWorld } from '../../world/real.ts'
import { codeUrl, credentialsOf } from '../relay/join.ts'
import { Probe } from '../relay/probe.ts'
import { SimulatedRelay } from '../relay/relay.ts'
import { Crowd } from './crowd.ts'

const world = await realWorld()

describe('a crowd', () => {
  const relay = new SimulatedRelay(world, { secret: 'a secret of the suites' })
  beforeEach(() => relay.start())
  afterEach(() => relay.stop())

  it('is heard on its streams, at the rate it is asked for, and says what it sent', async () => {
    const sent: string[] = []
    const crowd = new Crowd(world, relay, {
      streams: ['spin30', 'spin31'],
      seed: 1,
      rateHz: 100,
      sent: (stream, text) => void (stream === 'spin30' && sent.push(text))
    })
    const listener = new Probe(world, await codeUrl(world, credentialsOf(world, relay, 'spin30')))
    await listener.untilHeard()
    await crowd.start()
    await listener.until(() => listener.frames().length >= 10)
    crowd.stop()
    await listener.until(() => listener.text().length >= sent.join('').length)
    expect(listener.text()).toBe(sent.join(''))
    expect(crowd.counts().get('spin30')).toBe(sent.length)
    expect(crowd.counts().get('spin31')).toBeGreaterThan(0)
    listener.connection.terminate()
  })

  it('comes back after the relay has been away', async () => {
    const crowd = new Crowd(world, relay, { streams: ['spin30'], seed: 1, rateHz: 100 })
    await crowd.start()
    await relay.stop()
    await relay.start()
    const listener = new Probe(world, await codeUrl(world, credentialsOf(world, relay, 'spin30')))
    await listener.untilMet('message')
    crowd.stop()
    listener.connection.terminate()
  })

  it('is heard over https and wss under a CA of their own', async () => {
    const tls = await certificate()
    const secure = new SimulatedRelay(world, { secret: 'a secret of the suites', tls })
    await secure.start()
    const untrusting = new Crowd(world, secure, { streams: ['spin30'], seed: 1 })
    await expect(untrusting.start()).rejects.toThrow('self-signed certificate')
    let heard = (): void => {}
    const sending = new Promise<void>((resolve) => {
      heard = resolve
    })
    const crowd = new Crowd(world, secure, {
      streams: ['spin30'],
      seed: 1,
      rateHz: 100,
      ca: tls.cert,
      sent: () => heard()
    })
    await crowd.start()
    await sending
    expect(secure.connections('spin30')).toBe(1)
    crowd.stop()
    await secure.stop()
  })

  it('is told when the relay refuses it', async () => {
    relay.trap({ refuse: { status: 500, body: '{}' } })
    const crowd = new Crowd(world, relay, { streams: ['spin30'], seed: 1 })
    await expect(crowd.start()).rejects.toThrow('the relay answered 500')
    crowd.stop()
    relay.untrap()
  })
})
