const steps: Array<() => void> = []
let armed = false

/**
 * Has `step` run when the bench ends, in whatever way but SIGKILL; the last one first. Gives a function that runs it now
 * instead. A step works synchronously.
 */
export function atEnd(step: () => void): () => void {
  if (!armed) {
    armed = true
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130))
    process.on('exit', () => {
      for (const last of steps.reverse()) last()
    })
  }
  steps.push(step)
  return () => {
    const at = steps.indexOf(step)
    if (at < 0) return
    steps.splice(at, 1)
    step()
  }
}
