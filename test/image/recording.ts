import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { until } from '../sync/rig.ts'
import { imageFile } from './image.ts'
import { Laboratory } from './laboratory.ts'

/** How often is looked how much has been written. */
const LOOK_MS = 5

/** Of so many bytes, that some are finished and merged meanwhile. */
export const STORE_BYTES = 1_000_000

const streams = Array.from({ length: 12 }, (_, index) => `spin${30 + index}`)

/** What was known at a moment. */
interface Look {
  readonly atMs: number
  /** How much of the log there was. */
  readonly logBytes: number
  /** What Understudy had said by then: all entries of the journal below are on the disk. */
  readonly position: number
}

/** A Pi's first boot and its recording under load. */
export interface Recording {
  /** All that it wrote to its card; see WriteLog. */
  readonly logFile: string
  /** Where its data partition begins on the card, in bytes. */
  readonly offset: number
  /** An image of that, as it was before the first power-on. */
  readonly begin: string
  readonly looks: readonly Look[]
  /** When each message was said, by its number; of all streams at once. */
  readonly saidMs: readonly number[]
  /** How much of the log was written while the Pi's kernel had its disk flushed. */
  readonly syncedBytes: number
  /** From here on it did not any more. */
  readonly unsyncedBytes: number
}

/**
 * Records a boot.
 * @param folder for what is recorded
 * @param commits so many are seen with flushes, and a fifth of it without
 */
export async function record(folder: string, commits: number): Promise<Recording> {
  const laboratory = await Laboratory.open(imageFile(), {
    sections: `[journal]\nstore_size = "${STORE_BYTES / 1e6}MB"`,
    streams
  })
  const { pi, saidMs } = laboratory
  const [begin, logFile] = [`${folder}/begin`, `${folder}/log`]
  const looks: Look[] = []
  let position = 0
  const look = (): Look => {
    const now = { atMs: Date.now(), logBytes: statSync(logFile).size, position }
    looks.push(now)
    return now
  }
  const seen = async (count: number): Promise<void> => {
    for (let last = position; count > 0; count--, last = position) await until(() => position > last)
  }
  let looking: NodeJS.Timeout | undefined
  try {
    const offset = pi.dataPartition()
    execFileSync('dd', [`if=${pi.card}`, `of=${begin}`, 'bs=1M', `skip=${offset >> 20}`, 'conv=sparse', 'status=none'])
    await pi.boot('virt', { writeLog: logFile })
    looking = setInterval(look, LOOK_MS)
    await laboratory.untilRecording()
    await pi.untilSsh()
    pi.sshChild(laboratory.watcher).stdout!.on('data', (text: string) => {
      for (const line of text.split('\n')) if (/^\d+$/.test(line)) position = Number(line)
      look()
    })
    await seen(commits)
    const { logBytes: syncedBytes } = look()
    // The kernel takes the disk for one that holds nothing back, which need not be flushed.
    await pi.told('echo write through >/sys/block/vda/queue/write_cache')
    const { logBytes: unsyncedBytes } = look()
    await seen(commits / 5)
    await pi.cut()
    return { logFile, offset, begin, looks, saidMs, syncedBytes, unsyncedBytes }
  } catch (error) {
    console.error(pi.console.slice(-6000))
    throw error
  } finally {
    clearInterval(looking)
    await laboratory.close()
  }
}
