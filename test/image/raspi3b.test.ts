import { expect, onTestFailed, test } from 'vitest'
import { imageFile } from './image.ts'
import { Laboratory } from './laboratory.ts'

test('an emulated Pi 3 starts from the same image as its card, records, and shows its page', async () => {
  const laboratory = await Laboratory.open(imageFile())
  const { pi } = laboratory
  onTestFailed(() => console.error(pi.console.slice(-6000)))
  try {
    await pi.boot('raspi3b')
    await laboratory.untilRecording()
    expect((await pi.page('/healthz')).status).toBe(200)
  } finally {
    await laboratory.close()
  }
})
