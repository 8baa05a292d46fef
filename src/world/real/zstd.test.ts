import { expect, test } from 'vitest'
import { simulatedZstd } from '../../sim/world/zstd.ts'
import { realZstd } from './zstd.ts'

test.each([
  ['real', realZstd],
  ['simulated', simulatedZstd]
] as const)('the %s one gives back what it compressed, and no more than is allowed', async (_, zstd) => {
  for (const size of [0, 1, 1000, 3 << 20]) {
    const data = Buffer.alloc(size, 'some text of which there is a lot')
    const frame = await zstd.compress(data)
    expect((await zstd.decompress(frame, size + 1)).equals(data)).toBe(true)
    if (size > 1) await expect(zstd.decompress(frame, size - 1)).rejects.toThrow()
  }
  await expect(zstd.decompress(Buffer.from('no zstd'), 100)).rejects.toThrow()
})
