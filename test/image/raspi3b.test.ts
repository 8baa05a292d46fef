import { expect, onTestFailed, test } from 'vitest'
import { HOST } from './emulated-pi.ts'
import { imageFile } from './image.ts'
import { Laboratory } from './laboratory.ts'

// Over the emulator's network on USB it did not get an address by DHCP.
const network = `[network]\naddress = "10.0.2.15/24"\ngateway = "${HOST}"\n`
// As a Pi it has no clock: nothing of it is trusted.
const clock = ''

test('an emulated Pi 3 starts from the same image as its card, records, and shows its page', async () => {
  const laboratory = await Laboratory.open(imageFile(), { clock, sections: network })
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
