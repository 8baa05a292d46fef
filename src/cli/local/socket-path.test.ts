import { mkdir, symlink } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { DirectoryNode } from '../../sim/world/node.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import { realFiles } from '../../world/real/files.ts'
import { temporaryDirectory } from '../../world/real/fixtures.ts'
import { chooseSocket, findSocket } from './socket-path.ts'

const LONG = `/var/lib/${'understudy/'.repeat(12)}`
const FOLDER = '/tmp/understudy-1000'

async function aPi() {
  const pi = new Simulation(1).machine('pi')
  const { files } = pi.world
  await files.makeDirectory(LONG)
  const choose = (runtimeDirectory?: string): Promise<string> =>
    chooseSocket(files, LONG, { runtimeDirectory, uid: 1000 })
  return { pi, files, choose }
}

test('a path that is too long gives way to a private folder, and is found there', async () => {
  const { files, choose } = await aPi()
  const path = await choose()
  expect(path).toMatch(/^\/tmp\/understudy-1000\/understudy-[0-9a-f]{16}\.sock$/)
  expect((await files.info(FOLDER))?.mode).toBe(0o700)
  expect(await findSocket(files, LONG)).toBe(path)
  expect(await choose()).toBe(path)
})

test('a folder that others made, or may enter, is refused', async () => {
  const { pi, files, choose } = await aPi()
  await files.makeDirectory('/tmp')
  await files.makeDirectory(FOLDER, 0o750)
  await expect(choose()).rejects.toMatchObject({ code: 'UNDERSTUDY_SOCKET_FOLDER' })
  await files.remove(FOLDER)
  await files.makeDirectory(FOLDER, 0o700)
  const node = pi.disk.find(FOLDER) as DirectoryNode
  node.owner = 1001
  await expect(choose()).rejects.toMatchObject({ code: 'UNDERSTUDY_SOCKET_FOLDER' })
  expect(await choose('/run/user/1000')).toMatch(/^\/run\/user\/1000\//)
  node.owner = 1000
  expect(await choose()).toContain(FOLDER)
  await files.remove(FOLDER)
  await files.writeFile(FOLDER, 'a file')
  await expect(choose()).rejects.toMatchObject({ code: 'UNDERSTUDY_SOCKET_FOLDER' })
})

test('a link to a folder of ours is refused too', async () => {
  const directory = await temporaryDirectory()
  await mkdir(`${directory}/mine`, { mode: 0o700 })
  await mkdir(`${directory}/tmp`)
  await symlink(`${directory}/mine`, `${directory}/tmp/understudy-${process.getuid!()}`)
  const inside = (path: string): string => (path.startsWith('/tmp') ? `${directory}${path}` : path)
  const files = {
    ...realFiles,
    list: (path: string) => realFiles.list(inside(path)),
    info: (path: string) => realFiles.info(inside(path)),
    makeDirectory: (path: string, mode?: number) => realFiles.makeDirectory(inside(path), mode)
  }
  const chosen = chooseSocket(files, LONG, { runtimeDirectory: undefined, uid: process.getuid!() })
  await expect(chosen).rejects.toMatchObject({ code: 'UNDERSTUDY_SOCKET_FOLDER' })
})
