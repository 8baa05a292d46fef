import { constants, type Dirent, type Stats } from 'node:fs'
import * as fs from 'node:fs/promises'
import { systemCode } from '../../errors.ts'
import type { FileInfo, Files, OpenFile } from '../files.ts'

const flags = { read: 'r', edit: 'r+', create: 'w+', append: 'a' }

export const realFiles: Files = {
  async open(path, how, mode) {
    return openFile(await fs.open(path, flags[how], mode), how === 'append')
  },
  readFile: (path) => fs.readFile(path),
  writeFile: (path, data, mode) => fs.writeFile(path, data, { mode }),
  async list(path) {
    const entries = await fs.readdir(path, { withFileTypes: true })
    return entries.map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
  },
  async info(path) {
    try {
      const stats = await fs.stat(path)
      const { size: sizeBytes, mtimeMs: modifiedMs, ino: inode, dev: device, uid: owner } = stats
      return { kind: kindOf(stats), sizeBytes, modifiedMs, inode, device, mode: stats.mode & 0o7777, owner }
    } catch (error) {
      // ENOTDIR: a part of the path is a file, so nothing is there either.
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
      throw error
    }
  },
  async makeDirectory(path, mode) {
    await fs.mkdir(path, { recursive: true, mode })
  },
  remove: (path) => fs.rm(path, { recursive: true, force: true }),
  rename: (from, to) => fs.rename(from, to),
  link: (from, to) => fs.link(from, to),
  async syncDirectory(path) {
    const directory = await fs.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
    await directory.sync().finally(() => directory.close())
  },
  async space(path) {
    const { bavail, blocks, bsize, ffree, files } = await fs.statfs(path)
    // bavail, not bfree: what is reserved for root is not free for us.
    return {
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      ...(files > 0 && { freeInodes: ffree, totalInodes: files })
    }
  }
}

function openFile(handle: fs.FileHandle, appending: boolean): OpenFile {
  return {
    async read(into, position) {
      return (await handle.read(into, 0, into.length, position)).bytesRead
    },
    async write(data, position) {
      let done = 0
      while (done < data.length) {
        const at = appending ? null : position + done
        done += (await handle.write(data, done, data.length - done, at)).bytesWritten
      }
    },
    sync: () => handle.datasync(),
    close: () => handle.close()
  }
}

function kindOf(what: Stats | Dirent): FileInfo['kind'] {
  return what.isFile() ? 'file' : what.isDirectory() ? 'directory' : 'other'
}
