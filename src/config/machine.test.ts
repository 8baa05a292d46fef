import { expect, test } from 'vitest'
import { validate } from './validate.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb4b2Zj0c0pV8xq2Jw5Yx7m1l8n3Qv5k9d2sTq7uZaB you@laptop'

function valid(tree: object): boolean {
  return 'config' in validate(tree)
}

test.each([
  ['a password that is shared', { ssid: 'Lab', password: '12345678' }, true],
  ['63 characters', { ssid: 'Lab', password: 'x'.repeat(63) }, true],
  ['64 that are not hex', { ssid: 'Lab', password: 'x'.repeat(64) }, false],
  ['64 hex digits', { ssid: 'Lab', password: 'aF'.repeat(32) }, true],
  ['letters beyond ASCII, shared', { ssid: 'Lab', password: 'pässwörter' }, false],
  ["letters beyond ASCII, one's own", { ssid: 'Lab', password: 'pä', identity: 'me@example.org' }, true],
  ['an open network', { ssid: 'Lab' }, true],
  ['32 bytes of name', { ssid: 'é'.repeat(16) }, true],
  ['33 bytes of name', { ssid: `${'é'.repeat(16)}x` }, false],
  ['only a country', { country: 'GB' }, true]
])('a wireless network: %s', (_, wifi, fits) => {
  expect(valid({ wifi })).toBe(fits)
})

test.each([
  [key, true],
  [key.slice(0, key.lastIndexOf(' ')), true],
  [`${key}\nssh-ed25519 AAAA`, false],
  [`restrict ${key}`, false],
  [key.replace('ssh-ed25519', 'ssh-rsa'), false],
  ['-----BEGIN OPENSSH PRIVATE KEY-----', false]
])('a public key: %s', (line, fits) => {
  expect(valid({ ssh: { keys: [line] } })).toBe(fits)
})

test.each([
  ['pool.ntp.org', true],
  ['192.0.2.1', true],
  ['2001:db8::1', true],
  ['a b', false],
  ['256.1.1.1', false],
  ['-a.example', false],
  ['', false]
])('a time server: %j', (server, fits) => {
  expect(valid({ clock: { servers: [server] } })).toBe(fits)
})

test.each([
  ['understudy', true],
  ['lab-2', true],
  ['-a', false],
  ['a-', false],
  ['a.b', false],
  ['x'.repeat(64), false]
])('a name on the network: %j', (name, fits) => {
  expect(valid({ host: { name } })).toBe(fits)
})
