import type { Files } from '../../world/files.ts'
import type { Kernel } from './kernel.ts'

/** The name under /sys/block of the whole device that holds `path` (mmcblk0 of its second partition), where there is one. */
export async function deviceOf(files: Files, kernel: Kernel, path: string): Promise<string | undefined> {
  const info = await files.info(path).catch(() => undefined)
  if (!info) return undefined
  const event = await kernel.text(`/sys/dev/block/${deviceNumber(info.device)}/uevent`)
  const name = event === undefined ? undefined : /^DEVNAME=(\S+)$/m.exec(event)?.[1]?.replaceAll('/', '!')
  if (name === undefined) return undefined
  if (!/^DEVTYPE=partition$/m.test(event!)) return name
  for (const disk of await kernel.names('/sys/block')) if (await kernel.has(`/sys/block/${disk}/${name}`)) return disk
  return undefined
}

/** `179:2`: major and minor, as the C library splits a device number. */
function deviceNumber(device: number): string {
  const bits = BigInt(device)
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}
