import type { Files } from '../../src/world/files.ts'
import type { World } from '../../src/world/world.ts'

/** A world in which it is told each time before something is done to the files whose path begins so. */
export function touching(world: World, path: string, told: () => void): World {
  const files = new Proxy(world.files, {
    get(target, name: keyof Files) {
      const method = target[name].bind(target) as (...args: unknown[]) => unknown
      return (...args: unknown[]) => {
        if (String(args[0]).startsWith(path)) told()
        return method(...args)
      }
    }
  })
  return { ...world, files }
}
