import { readFile, stat, symlink } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { writeDurably } from '../files.ts'
import { realFiles as files } from './files.ts'
import { temporaryDirectory } from './fixtures.ts'

test('what is written at a place is read there', async () => {
  const path = `${await temporaryDirectory()}/a`
  const file = await files.open(path, 'create', 0o600)
  await file.write(Buffer.from('0123456789'), 0)
  await file.write(Buffer.from('ab'), 3)
  await file.sync()
  const into = Buffer.alloc(20)
  expect(await file.read(into, 2)).toBe(8)
  expect(into.toString('latin1', 0, 8)).toBe('2ab56789')
  expect(await file.read(into, 10)).toBe(0)
  await file.close()
  expect((await files.info(path))?.mode).toBe(0o600)
})

test('appending ignores the position, editing keeps the rest, creating does not', async () => {
  const path = `${await temporaryDirectory()}/a`
  const write = async (how: 'append' | 'edit' | 'create', text: string): Promise<string> => {
    const file = await files.open(path, how)
    await file.write(Buffer.from(text), 0)
    await file.close()
    return readFile(path, 'utf8')
  }
  expect(await write('append', 'one')).toBe('one')
  expect(await write('append', 'two')).toBe('onetwo')
  expect(await write('edit', 'O')).toBe('Onetwo')
  expect(await write('create', 'x')).toBe('x')
})

test.each(['read', 'edit'] as const)('opening for %s needs the file to be there', async (how) => {
  await expect(files.open(`${await temporaryDirectory()}/none`, how)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('knows what is there', async () => {
  const directory = await temporaryDirectory()
  await files.makeDirectory(`${directory}/x/y`, 0o700)
  await files.makeDirectory(`${directory}/x/y`)
  await files.writeFile(`${directory}/x/a`, 'text', 0o640)
  await symlink(`${directory}/x/a`, `${directory}/x/link`)
  const listed = await files.list(`${directory}/x`)
  expect(listed.sort((a, b) => a.name.localeCompare(b.name))).toEqual([
    { name: 'a', kind: 'file' },
    { name: 'link', kind: 'other' },
    { name: 'y', kind: 'directory' }
  ])
  const { ino: inode, dev: device } = await stat(`${directory}/x/a`)
  const expected = { kind: 'file', sizeBytes: 4, mode: 0o640, inode, device }
  expect(await files.info(`${directory}/x/link`)).toMatchObject(expected)
  expect(await files.info(`${directory}/x/none`)).toBe(undefined)
  expect(await files.info(`${directory}/x/a/none`)).toBe(undefined)
})

test('a mounted disk has another device than the folder it is mounted in', async () => {
  expect((await files.info('/proc'))?.device).not.toBe((await files.info('/'))?.device)
})

test('links, renames, removes', async () => {
  const directory = await temporaryDirectory()
  await files.writeFile(`${directory}/a`, 'text')
  await files.link(`${directory}/a`, `${directory}/b`)
  await files.rename(`${directory}/a`, `${directory}/c`)
  await files.syncDirectory(directory)
  expect((await files.info(`${directory}/b`))?.inode).toBe((await files.info(`${directory}/c`))?.inode)
  await files.remove(`${directory}/b`)
  await files.remove(`${directory}/b`)
  expect((await files.readFile(`${directory}/c`)).toString()).toBe('text')
  await files.remove(directory)
  expect(await files.info(directory)).toBe(undefined)
})

test('replaces a file durably', async () => {
  const path = `${await temporaryDirectory()}/a`
  await writeDurably(files, path, 'one')
  await writeDurably(files, path, Buffer.from('two'))
  expect((await files.readFile(path)).toString()).toBe('two')
  expect(await files.info(`${path}.new`)).toBe(undefined)
})

test('only a folder can be synced as one', async () => {
  const path = `${await temporaryDirectory()}/a`
  await files.writeFile(path, '')
  await expect(files.syncDirectory(path)).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test('tells the space of the disk', async () => {
  const { freeBytes, totalBytes } = await files.space(await temporaryDirectory())
  expect(freeBytes).toBeGreaterThan(0)
  expect(totalBytes).toBeGreaterThanOrEqual(freeBytes)
})
