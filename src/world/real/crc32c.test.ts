import { expect, test } from 'vitest'
import { crc32c } from './crc32c.ts'

// From RFC 3720, B.4.
test.each([
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['counting up', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
  ['nine digits', Buffer.from('123456789'), 0xe3069283]
])('%s', (_title, data, crc) => {
  expect(crc32c(data)).toBe(crc)
  expect(crc32c(Buffer.concat([Buffer.alloc(3), data, Buffer.alloc(5)]), 3, 3 + data.length)).toBe(crc)
})
