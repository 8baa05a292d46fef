import type { Supervisor } from '../host.ts'

/** As sd_notify(3) and sd_watchdog_enabled(3) have it. */
export function realSupervisor(env: NodeJS.ProcessEnv = process.env): Supervisor {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: us, WATCHDOG_PID: pid = String(process.pid) } = env
  const watchdogMs = Number(us) / 1000
  let notify: Promise<(unset: number, state: string) => number> | undefined
  return {
    watchdogMs: socket && pid === String(process.pid) && watchdogMs > 0 ? watchdogMs : undefined,
    async tell(state) {
      if (!socket) return
      try {
        notify ??= load()
        // It sends from this very process, as NotifyAccess=main asks; Node itself has no unix datagrams.
        ;(await notify)(0, state)
      } catch {
        // Without the library systemd takes the start for failed, and says so.
      }
    }
  }
}

/** Imported when first needed: koffi costs 1.5 MB. */
async function load(): Promise<(unset: number, state: string) => number> {
  const { default: koffi } = await import('koffi')
  return koffi.load('libsystemd.so.0').func('int sd_notify(int unset, const char *state)')
}
