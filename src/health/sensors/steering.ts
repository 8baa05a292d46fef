import type { ClockSteering } from '../../world/host.ts'
import type { ClockReport } from '../report.ts'
import type { Kernel } from './kernel.ts'

/** What each time service leaves in /run while it works. */
const services = [
  ['/run/systemd/timesync/synchronized', 'systemd-timesyncd'],
  ['/run/chrony/chronyd.pid', 'chrony'],
  ['/run/ntpsec/ntpd.pid', 'ntpsec'],
  ['/run/ntpd.pid', 'ntpd']
] as const

/** Who sets the clock, as far as it shows. */
export async function readTimeService(kernel: Kernel): Promise<string | undefined> {
  for (const [path, name] of services) if (await kernel.has(path)) return name
  return undefined
}

/**
 * @param source why the journal holds the time to be right; it looks every 10 s, the kernel is asked now
 */
export function clockReport(
  source: ClockReport['source'],
  steering: ClockSteering | undefined,
  by: string | undefined
): ClockReport {
  if (!steering) return { source, synchronised: source === 'ntp' }
  const { synchronised, driftPpm, maxErrorMs } = steering
  if (synchronised) return { source: 'ntp', synchronised, by, driftPpm, maxErrorMs }
  return { source: source === 'ntp' ? 'none' : source, synchronised, driftPpm }
}
