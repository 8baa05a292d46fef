import { ran } from '../sync/rig.ts'

/** How exposed a unit is, from 0 to 10, as `systemd-analyze security` reckons from its file alone. */
export async function exposure(unitFile: string): Promise<number> {
  const { out, err } = await ran('systemd-analyze', ['security', '--offline=true', '--no-pager', unitFile])
  const overall = /Overall exposure level for \S+: (\d+\.\d+) /.exec(out)
  if (!overall) throw new Error(`systemd-analyze told no exposure: ${out}${err}`)
  return Number(overall[1])
}
