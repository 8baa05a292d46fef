import type { CaptureStatus } from '../../src/captures/capture-status.ts'
import { requireRunning } from '../../src/cli/local/open.ts'
import type { Report } from '../../src/sync/handover.ts'
import type { Far } from './far.ts'
import { codeOf, DATA, type Lab } from './lab.ts'

const MINUTE_MS = 60_000

/**
 * Everything was put right: all windows that have ended are sealed, the primary gets them, what was damaged there is
 * reported when it is asked to hash anew, and at the end it has all that was sealed.
 */
export async function checkHandedOver(lab: Lab): Promise<void> {
  await sealAll(lab)
  if (lab.far && !lab.model.broken) await handOver(lab, lab.far)
}

/** What fails is tried again after five minutes, so ten must do; on the way a window may end. */
async function sealAll(lab: Lab): Promise<void> {
  const { simulation, model } = lab
  for (let minute = 0; ; minute++) {
    const due = (await simulation.complete(capturesOf(lab))).filter((one) => one.due?.length !== 0)
    if (due.length === 0) break
    const told = due.map(({ capture, due }) => `${capture} ${due ? due.map(({ label }) => label) : 'not known'}`)
    if (minute === 10) throw model.broke(`not sealed after everything was put right: ${told}`)
    await simulation.run(MINUTE_MS)
  }
  lab.sealed.look()
}

async function capturesOf(lab: Lab): Promise<CaptureStatus[]> {
  const world = lab.pi.start()
  try {
    return await (await requireRunning(world, DATA)).captures()
  } finally {
    lab.pi.kill(world)
  }
}

async function handOver(lab: Lab, far: Far): Promise<void> {
  const { model } = lab
  const isDamaged = (name: string): boolean => far.damaged.has(name)
  const checked = await syncUntil(
    lab,
    true,
    ({ waiting, differing }) =>
      waiting.every(isDamaged) && differing.every(isDamaged) && differing.length === far.damaged.size
  )
  if (typeof checked === 'string') {
    throw model.broke(`damaged on the primary: ${[...far.damaged]}; after a recheck: ${checked}`)
  }
  far.moveAway()
  // The first pass finds that they are gone there; what is still here is sent again by the next.
  const isGone = (name: string): boolean => lab.sealed.folders.get(name)?.goneUs !== undefined
  const settled = ({ sent, waiting, differing }: Report): boolean =>
    sent.length === 0 && waiting.every(isGone) && differing.every(isGone)
  const done = await syncUntil(lab, false, settled)
  if (typeof done === 'string') throw model.broke(`not handed over at the end: ${done}`)
  far.check(done.beganUs)
}

/** Syncs by hand until it comes to what it should; gives what it came to where it does not. */
async function syncUntil(
  lab: Lab,
  recheck: boolean,
  holds: (report: Report) => boolean
): Promise<string | { readonly beganUs: number }> {
  let last = ''
  for (let tries = 0; tries < 5; tries++) {
    const beganUs = lab.nowUs
    try {
      const report = await lab.simulation.complete(lab.handOver(recheck), 10 * MINUTE_MS)
      if (holds(report)) return { beganUs }
      last = JSON.stringify(report)
    } catch (error) {
      last = codeOf(error)
    }
    await lab.simulation.run(5000)
  }
  return last
}
