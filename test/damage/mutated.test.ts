import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnderstudyError } from '../../src/errors.ts'
import { directory, openJournal, texts, told } from '../../src/journal/fixtures.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { Simulation } from '../../src/sim/world/simulation.ts'
import type { Files } from '../../src/world/files.ts'
import type { World } from '../../src/world/world.ts'
import { repeats } from '../support/scale.ts'

const paths = journalPaths(directory)
const stream = 'spin30'

/** The files of a journal of three stores. */
async function record(world: World): Promise<{ files: Map<string, Buffer>; frames: string[]; position: number }> {
  const frames: string[] = []
  const journal = await openJournal(world, { storeBytes: 400 })
  for (let number = 1; number <= 9; number++) {
    frames.push(`frame ${number}`)
    journal.append(told(stream, `frame ${number}`))
    await journal.commit()
  }
  await journal.merged()
  await journal.close()
  const { nextPosition } = journal
  return { files: await filesIn(world.files, directory), frames, position: nextPosition }
}

async function filesIn(files: Files, folder: string, found = new Map<string, Buffer>()): Promise<Map<string, Buffer>> {
  for (const { name, kind } of await files.list(folder)) {
    if (kind === 'directory') await filesIn(files, `${folder}/${name}`, found)
    else found.set(`${folder}/${name}`, await files.readFile(`${folder}/${name}`))
  }
  return found
}

const change = fc.tuple(
  fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  fc.nat(255),
  fc.constantFrom('set', 'insert', 'remove', 'cut', 'zero')
)

/** @param changes where, as a part of the whole; a byte; what happens there */
function mutate(content: Buffer, changes: ReadonlyArray<readonly [number, number, string]>): Buffer {
  let mutated = Buffer.from(content)
  for (const [where, byte, how] of changes) {
    const at = Math.floor(where * mutated.length)
    if (how === 'set') mutated[at] = byte
    else if (how === 'zero') mutated.fill(0, at, Math.min(at + 8 * byte, mutated.length))
    else if (how === 'cut') mutated = mutated.subarray(0, at)
    else {
      const added = how === 'insert' ? Buffer.of(byte) : Buffer.alloc(0)
      mutated = Buffer.concat([mutated.subarray(0, at), added, mutated.subarray(how === 'remove' ? at + 1 : at)])
    }
    if (mutated.length === 0) return mutated
  }
  return mutated
}

/** Runs something on a machine of its own, in simulated time. */
function alone<T>(work: (world: World) => Promise<T>): Promise<T> {
  const simulation = new Simulation(1)
  return simulation.complete(work(simulation.machine('pi').world))
}

test('mutated catalogues and heads: a clean start or one clear error, never a lost store', {
  timeout: 600_000
}, async () => {
  const { files, frames, position } = await alone(record)
  const starts = { clean: 0, refused: 0 }
  const start = async (world: World, mutated: (path: string, content: Buffer) => Buffer): Promise<void> => {
    for (const [path, content] of files) {
      await world.files.makeDirectory(path.slice(0, path.lastIndexOf('/')))
      await world.files.writeFile(path, mutated(path, content))
    }
    try {
      const journal = await openJournal(world)
      const appended = journal.append(told(stream, 'and one more'))
      expect(appended.position).toBeGreaterThanOrEqual(position)
      expect(appended.seq).toBeGreaterThan(frames.length)
      await journal.commit()
      await journal.repaired()
      expect(await texts(journal.range({}))).toEqual([...frames, 'and one more'])
      await journal.close()
      starts.clean++
    } catch (error) {
      if (!(error instanceof UnderstudyError)) throw error
      starts.refused++
      // Nothing was touched: whoever mends the file has everything.
      for (const [path, content] of files) {
        if (path.startsWith(paths.stores)) expect(await world.files.readFile(path)).toEqual(content)
      }
    }
  }
  const mutation = fc.record({
    catalogue: fc.array(change, { maxLength: 3 }),
    head: fc.array(change, { maxLength: 3 })
  })
  await fc.assert(
    fc.asyncProperty(mutation, ({ catalogue, head }) =>
      alone((world) =>
        start(world, (path, content) =>
          mutate(content, path === paths.catalogue ? catalogue : path === paths.head ? head : [])
        )
      )
    ),
    { numRuns: repeats(10_000) }
  )
  console.log(`mutated catalogues and heads: ${starts.clean} clean starts, ${starts.refused} clear errors`)
})
