import { stat } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { systemCode } from '../../errors.ts'
import type { Host } from '../host.ts'
import { timexReader } from './timex.ts'

/** `inquire` asks systeminformation, which costs 7 MB from then on: it is imported when first asked for. */
export function realHost(): Host {
  const timex = timexReader()
  return {
    async steering() {
      try {
        const { synchronised, frequency, maxErrorUs } = await timex()
        return { synchronised, driftPpm: frequency / 65_536, maxErrorMs: maxErrorUs / 1000 }
      } catch {
        return undefined
      }
    },
    async inquire() {
      try {
        const { default: information } = await import('systeminformation')
        const [{ manufacturer, model }, { main }] = [await information.system(), await information.cpuTemperature()]
        const name = `${manufacturer} ${model}`.trim()
        return { ...(name !== '' && { model: name }), ...(typeof main === 'number' && { temperatureC: main }) }
      } catch {
        return {}
      }
    },
    async addresses() {
      try {
        return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
          // Addresses of one cable only are of no use to people.
          addresses.flatMap(({ internal, address }) =>
            internal || address.startsWith('fe80:') ? [] : [{ interface: name, address }]
          )
        )
      } catch {
        return []
      }
    },
    async actAsOwnerOf(folder) {
      if (process.geteuid?.() !== 0) return undefined
      const owner = await stat(folder).catch((error: unknown) => {
        if (systemCode(error) !== 'ENOENT') throw error
      })
      if (!owner || owner.uid === 0) return undefined
      const { uid, gid } = owner
      process.setgroups?.([gid])
      process.setgid?.(gid)
      process.setuid?.(uid)
      return uid
    }
  }
}
