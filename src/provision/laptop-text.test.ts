import fc from 'fast-check'
import { expect, test } from 'vitest'
import { laptopText } from './laptop-text.ts'
import { lineOf } from './line-of.ts'

const text = 'site = "caf\u00e9"\n# a second line\n'

test.each<[string, Uint8Array, boolean]>([
  ['UTF-8', Buffer.from(text), false],
  ['UTF-8 with its mark', Buffer.from(`\uFEFF${text}`), false],
  ['Windows line ends', Buffer.from(text.replaceAll('\n', '\r\n')), false],
  ['the line ends of an old Mac', Buffer.from(text.replaceAll('\n', '\r')), false],
  ['UTF-16', Buffer.from(`\uFEFF${text}`, 'utf16le'), true],
  ['UTF-16, the other way round', Buffer.from(`\uFEFF${text}`, 'utf16le').swap16(), true],
  ['Windows-1252', Buffer.from(text, 'latin1'), true]
])('%s', (_, bytes, odd) => {
  const read = laptopText(bytes)
  expect([read.text, read.odd !== undefined]).toEqual([text, odd])
})

test('the line that is odd is named', () => {
  expect(laptopText(Buffer.from('a\r\nb\r\n\xe9\r\n', 'latin1')).odd).toMatch(/^line 3 /)
})

test('any bytes are some text', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof laptopText(bytes).text === 'string'))
})

const config = `site = "x"
[relay]
  read_interval = "1s"   # site = "y"
wifi.ssid = 1
[ "status" ]
"port" = 80
[[capture]]
name = "a"
[[capture]]
name = "b"
schedule = 5
[journal.deep]
x = 1
`

test.each([
  ['site', 1],
  ['relay.read_interval', 3],
  ['relay.silence_timeout', 2],
  ['relay.wifi.ssid', 4],
  ['status.port', 6],
  ['capture, entry 1.name', 8],
  ['capture, entry 2.name', 10],
  ['capture, entry 2.schedule', 11],
  ['capture, entry 2.duration', 9],
  ['journal.deep.x', 13],
  ['sync.target', undefined]
])('%s stands in line %s', (place, line) => {
  expect(lineOf(config, place)).toBe(line)
})
