import { expect, test } from 'vitest'
import { Simulation } from './simulation.ts'

test('a machine says how its clock is steered, and what it is, until it is mute', async () => {
  const pi = new Simulation(1).machine('pi')
  const { host, files } = pi.world
  expect(await host.steering()).toMatchObject({ synchronised: true })
  pi.clock.setSynchronised(false)
  expect(await host.steering()).toMatchObject({ synchronised: false })
  expect(await host.inquire()).toEqual({ model: 'Simulated Pi', temperatureC: 45 })
  pi.host.temperatureC = undefined
  expect(await host.inquire()).toEqual({ model: 'Simulated Pi' })
  expect(await host.addresses()).toEqual([{ interface: 'eth0', address: '192.0.2.20' }])
  pi.host.mute = true
  expect([await host.steering(), await host.inquire(), await host.addresses()]).toEqual([undefined, {}, []])
  pi.disk.inodes = { freeInodes: 1, totalInodes: 2 }
  expect(await files.space('/')).toMatchObject({ freeInodes: 1, totalInodes: 2 })
})

test('what the supervisor is told is kept', async () => {
  const pi = new Simulation(1).machine('pi')
  pi.supervisor.watchdogMs = 30_000
  expect(pi.world.supervisor.watchdogMs).toBe(30_000)
  await pi.world.supervisor.tell('READY=1')
  expect(pi.supervisor.told).toEqual(['READY=1'])
})
