import type { MemoryReport } from '../report.ts'
import { type Kernel, numberIn } from './kernel.ts'

export async function readMemory(kernel: Kernel): Promise<MemoryReport | undefined> {
  const memory = (await kernel.text('/proc/meminfo')) ?? ''
  const [totalBytes, availableBytes] = [bytesOf(memory, 'MemTotal'), bytesOf(memory, 'MemAvailable')]
  if (totalBytes === undefined || availableBytes === undefined) return undefined
  return { totalBytes, availableBytes, ownBytes: bytesOf((await kernel.text('/proc/self/status')) ?? '', 'VmRSS') }
}

/** Of lines like `MemTotal:  948304 kB`. */
function bytesOf(text: string, name: string): number | undefined {
  const kilobytes = numberIn(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1])
  return kilobytes === undefined ? undefined : kilobytes * 1024
}
