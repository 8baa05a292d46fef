import fc from 'fast-check'
import { expect, test } from 'vitest'
import { validate } from '../config/validate.ts'
import type { Snapshot } from './snapshot.ts'
import { supportBundle, withoutSecretText } from './support.ts'

const token = fc
  .tuple(fc.base64String({ minLength: 8 }), fc.base64String({ minLength: 8 }), fc.base64String({ minLength: 20 }))
  .map((parts) => ['eyJhbGciOiJIUzI1NiJ9', ...parts.map((part) => part.replace(/[+/=]/g, '_'))].join('.'))

test('tokens and ids do not get through, wherever they stand', () => {
  fc.assert(
    fc.property(token, fc.uuid(), fc.constantFrom('"', ' ', '/', '=', ':', ''), (secret, id, before) => {
      const told = withoutSecretText(`{"msg":"a${before}${secret} and ${id}${before}"}`)
      expect(told).not.toContain(secret)
      expect(told).not.toContain(id)
    })
  )
})

test('codes and logins in URLs do not either, and what helps does', () => {
  const text = 'wss://user:pass@relay.example/session/spin30?code=abc-1&x=1 at 2026-11-02T08:00:00.000Z'
  expect(withoutSecretText(text)).toBe(
    'wss://(left out)@relay.example/session/spin30?code=(left out)&x=1 at 2026-11-02T08:00:00.000Z'
  )
  expect(withoutSecretText('by http://me:p@ss@proxy.example:3128/, me@example.org')).toBe(
    'by http://(left out)@proxy.example:3128/, me@example.org'
  )
  for (const kept of [
    'UNDERSTUDY_RELAY_TOKEN_EXPIRED',
    'understudy-support',
    'spin30',
    '/var/lib/understudy/captures',
    'at connect (file:///srv/src/relay/connection.ts:12:3)'
  ])
    expect(withoutSecretText(kept)).toBe(kept)
})

test('who joins a wireless network, and by which password, is left out; which network it is, is not', () => {
  const wifi = { ssid: 'Laboratory', identity: 'me@example.org', password: 'correct horse' }
  const result = validate({ wifi })
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  const snapshot = {} as Snapshot
  const bundle = supportBundle({ config: result.config, snapshot, week: [], logged: [], versions: {} })
  expect(JSON.parse(bundle).config.wifi).toMatchObject({
    ssid: 'Laboratory',
    identity: '(left out)',
    password: '(left out)'
  })
})
