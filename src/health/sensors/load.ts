import type { LoadReport } from '../report.ts'
import { type Kernel, numberIn } from './kernel.ts'

export async function readLoad(kernel: Kernel): Promise<LoadReport | undefined> {
  const [one, five, fifteen] = ((await kernel.text('/proc/loadavg')) ?? '').split(' ').map(numberIn)
  if (one === undefined || five === undefined || fifteen === undefined) return undefined
  return { one, five, fifteen, cores: coresIn(await kernel.text('/sys/devices/system/cpu/online')) }
}

/** Of a list like `0-3,5`. */
function coresIn(text = ''): number | undefined {
  const ranges = text.split(',').map((range) => /^(\d+)(?:-(\d+))?$/.exec(range))
  if (!ranges.every((range) => range !== null)) return undefined
  return ranges.reduce((sum, [, from, to = from]) => sum + Number(to) - Number(from) + 1, 0)
}
