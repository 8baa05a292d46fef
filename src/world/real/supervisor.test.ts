import { expect, test } from 'vitest'
import { realSupervisor } from './supervisor.ts'

// That systemd hears it from this very process is shown on a real socket by the suite `health`.

test('without a socket nothing is told, and nobody watches', async () => {
  const supervisor = realSupervisor({ WATCHDOG_USEC: '30000000' })
  expect(supervisor.watchdogMs).toBeUndefined()
  await supervisor.tell('READY=1')
})

test.each([
  ['for this process', { WATCHDOG_PID: String(process.pid) }, 30_000],
  ['for any', {}, 30_000],
  ['for another', { WATCHDOG_PID: '1' }, undefined],
  ['not at all', { WATCHDOG_USEC: '0' }, undefined]
])('the watchdog is meant %s', (_, env, expected) => {
  const given = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '30000000', ...env }
  expect(realSupervisor(given).watchdogMs).toBe(expected)
})
