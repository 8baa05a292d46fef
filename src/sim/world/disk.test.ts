import { expect, test } from 'vitest'
import type { Store } from '../../world/stores.ts'
import { Simulation } from './simulation.ts'

const put = (store: Store, key: string, bytes: number, sync = true): Promise<void> =>
  store.batch([{ type: 'put', key: Buffer.from(key), value: Buffer.alloc(bytes, 1) }], { sync })

test('a full disk takes what fits, and gives space back', async () => {
  const { files } = new Simulation(1).machine('pi', { diskBytes: 10_240 }).world
  await files.writeFile('/a', Buffer.alloc(5000))
  expect(await files.space('/')).toEqual({ freeBytes: 10_240 - 5120, totalBytes: 10_240 })
  await expect(files.writeFile('/b', Buffer.alloc(6000))).rejects.toMatchObject({ code: 'ENOSPC' })
  expect((await files.space('/')).freeBytes).toBe(0)
  await files.link('/a', '/c')
  await files.remove('/a')
  expect((await files.space('/')).freeBytes).toBe(0)
  await files.remove('/c')
  expect((await files.space('/')).freeBytes).toBe(5120)
  const file = await files.open('/b', 'edit')
  await files.remove('/b')
  expect((await files.space('/')).freeBytes).toBe(5120)
  await file.close()
  expect((await files.space('/')).freeBytes).toBe(10_240)
})

test('a store on a full disk fails, goes on failing when there is space again, and opens anew', async () => {
  const pi = new Simulation(1).machine('pi', { diskBytes: 50_000 })
  const { stores, files } = pi.world
  await files.writeFile('/ballast', Buffer.alloc(20_000))
  const store = await stores.open('/journal', { create: true })
  let stored = 0
  await expect(
    (async () => {
      for (;;) {
        await put(store, `k${stored}`, 1000)
        stored++
      }
    })()
  ).rejects.toMatchObject({ code: 'LEVEL_IO_ERROR', cause: { code: 'ENOSPC' } })
  expect(stored).toBeGreaterThan(10)
  await files.remove('/ballast')
  await expect(put(store, 'x', 1)).rejects.toMatchObject({ code: 'LEVEL_IO_ERROR' })
  await store.close()
  pi.disk.capacityBytes = 200_000
  const again = await stores.open('/journal', { create: false })
  expect((await again.scan({}).next(1000)).length).toBe(stored)
  await put(again, 'x', 1)
})

test('a read-only disk gives EROFS, a failing one EIO from some byte on', async () => {
  const pi = new Simulation(1).machine('pi')
  const { files, stores } = pi.world
  await (await stores.open('/journal', { create: true })).close()
  const file = await files.open('/f', 'create')
  pi.disk.readOnly = true
  await expect(file.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'EROFS' })
  await expect(files.remove('/f')).rejects.toMatchObject({ code: 'EROFS' })
  await expect(stores.open('/journal', { create: false })).rejects.toMatchObject({ cause: { code: 'EROFS' } })
  pi.disk.readOnly = false
  pi.disk.failsAfterBytes = 100
  await file.write(Buffer.alloc(80), 0)
  await file.sync()
  await expect(file.write(Buffer.alloc(80), 80)).rejects.toMatchObject({ code: 'EIO' })
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  expect((await files.info('/f'))?.sizeBytes).toBe(100)
  pi.disk.unreadable = true
  await expect(files.readFile('/f')).rejects.toMatchObject({ code: 'EIO' })
})

test('a flipped bit stays flipped', async () => {
  const pi = new Simulation(1).machine('pi')
  await pi.world.files.writeFile('/f', Buffer.alloc(100))
  pi.disk.flip('/f', 17)
  pi.disk.flip('/f')
  const content = await pi.world.files.readFile('/f')
  expect(content.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)).toBe(2)
  expect(content[2]! & 2).toBe(2)
})

test('a disk that vanishes comes back with what was synced, and old handles stay dead', async () => {
  const pi = new Simulation(1).machine('pi')
  const usb = pi.mount('/usb')
  const { files, stores } = pi.world
  const store = await stores.open('/usb/journal', { create: true })
  await put(store, 'a', 10)
  const file = await files.open('/usb/f', 'create')
  await file.sync()
  usb.vanish()
  await expect(file.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'EIO' })
  await expect(files.list('/usb')).rejects.toMatchObject({ code: 'EIO' })
  await expect(put(store, 'b', 10)).rejects.toMatchObject({ code: 'LEVEL_IO_ERROR' })
  await files.writeFile('/g', 'the other disk goes on')
  usb.comeBack()
  await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' })
  await store.close()
  const again = await stores.open('/usb/journal', { create: false })
  expect((await again.scan({}).next(10)).length).toBe(1)
})

test('a disk that is pulled leaves the folder it was mounted on, or a dead mount until the next boot', async () => {
  const pi = new Simulation(1).machine('pi')
  const usb = pi.mount('/media/usb')
  const device = async (path: string): Promise<number | undefined> => (await pi.world.files.info(path))?.device
  await pi.world.files.writeFile('/media/usb/lost', 'not synced')
  const file = await pi.world.files.open('/media/usb/kept', 'create')
  await file.sync()
  expect(await device('/media/usb')).not.toBe(await device('/'))
  expect(pi.detach('/media/usb')).toBe(usb)
  expect(await device('/media/usb')).toBe(await device('/media'))
  expect(await pi.world.files.list('/media/usb')).toEqual([])
  await expect(file.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'EIO' })
  pi.attach('/media/usb', usb)
  expect(await pi.world.files.list('/media/usb')).toContainEqual({ name: 'kept', kind: 'file' })
  pi.detach('/media/usb', 'mounted')
  await expect(pi.world.files.list('/media/usb')).rejects.toMatchObject({ code: 'EIO' })
  pi.boot()
  expect(await pi.world.files.list('/media/usb')).toEqual([])
})

test('a disk takes its time, and stalls', async () => {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  pi.disk.pace = { changeUs: [1000, 1000], syncUs: [3000, 3000] }
  const store = await simulation.complete(pi.world.stores.open('/journal', { create: true }))
  expect(simulation.nowUs).toBe(3000)
  await simulation.complete(put(store, 'a', 10))
  expect(simulation.nowUs).toBe(6000)
  pi.disk.stall(5000)
  await simulation.complete(put(store, 'b', 10, false))
  expect(simulation.nowUs).toBe(5_007_000)
})
