import type { Disk } from '../../src/sim/world/disk.ts'
import { DirectoryNode, FileNode } from '../../src/sim/world/node.ts'
import type { Lab } from './lab.ts'
import { DATA } from './lab.ts'

/** Turns a bit over somewhere in the files of a store. */
export function flipBit(lab: Lab, chance: number, which: 'finished' | 'newest'): void {
  const found = choose(lab, chance, which)
  if (!found) return
  const { store, path, file } = found
  const bit = Math.floor(within(chance, 2) * file.size * 8)
  lab.note(`flips bit ${bit} of ${path}`)
  lab.model.damage(store, which === 'newest')
  lab.pi.disk.flip(path, bit)
}

/** Cuts off the end of a file of a store, half of the time nearly nothing of it. */
export function shorten(lab: Lab, chance: number, which: 'finished' | 'newest'): void {
  const found = choose(lab, chance, which)
  const { disk } = lab.pi
  if (!found || disk.readOnly || disk.syncFails || disk.failsAfterBytes < Number.POSITIVE_INFINITY) return
  const { store, path, file } = found
  const share = within(chance, 2)
  const left = share < 0.5 ? Math.floor(file.size * share * 2) : Math.max(0, file.size - Math.ceil(share * 100))
  lab.note(`shortens ${path} to ${left}`)
  lab.model.damage(store, which === 'newest')
  const kept = Buffer.from(file.content().subarray(0, left))
  disk.empty(file, 0)
  disk.write(file, kept, 0, 0)
  disk.sync(file)()
}

/** A file of some finished store, or of the one that is written. */
function choose(lab: Lab, chance: number, which: 'finished' | 'newest') {
  const { disk } = lab.pi
  const stores = storesOf(disk)
  const choices = which === 'newest' ? stores.slice(-1) : stores.slice(0, -1)
  const store = choices[Math.floor(chance * choices.length)]
  if (store === undefined) return undefined
  const names = [...(folder(disk, `${DATA}/stores/${store}`)?.names ?? [])]
  const files = names.flatMap(([name, node]) =>
    node instanceof FileNode && node.size > 0 ? [{ name, file: node }] : []
  )
  const picked = files[Math.floor(within(chance, 1) * files.length)]
  return (
    picked && { store: Number.parseInt(store, 10), path: `${DATA}/stores/${store}/${picked.name}`, file: picked.file }
  )
}

/** The names of their folders, the oldest first. */
export function storesOf(disk: Disk): string[] {
  const names = [...(folder(disk, `${DATA}/stores`)?.names.keys() ?? [])]
  return names.filter((name) => /^\d+(\.merged)?$/.test(name)).sort()
}

function folder(disk: Disk, path: string): DirectoryNode | undefined {
  const node = disk.find(path)
  return node instanceof DirectoryNode ? node : undefined
}

/** Other numbers in [0, 1) from the same one. */
function within(chance: number, which: number): number {
  return (chance * 1000 ** which) % 1
}
