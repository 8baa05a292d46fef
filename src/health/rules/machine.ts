import { type Rule, when } from '../rule.ts'

/** Whether the machine and its clock are as they should be. */
export const machineRules: readonly Rule[] = [
  {
    code: 'clock-unsynchronised',
    look: ({ clock, machine }, { clockMs }) =>
      when(
        (clock.source === 'none' || clock.source === 'relay') &&
          (machine.uptimeMs ?? Number.POSITIVE_INFINITY) >= clockMs,
        () => ({
          // The relay's time is right to 2 s: nothing waits for a better one.
          state: clock.source === 'relay' ? 'note' : 'attention',
          text:
            clock.source === 'relay'
              ? "no time service sets the clock; the time is taken from the relay's answers"
              : 'the clock is not synchronised; captures wait for the time',
          todo: 'check that a time service runs (systemd-timesyncd) and that the network lets NTP through'
        })
      )
  },
  {
    code: 'under-voltage',
    look: ({ machine: { power } }) =>
      when(power?.underVoltage?.since === true, () => ({
        state: 'attention',
        text: power?.underVoltage?.now
          ? 'the voltage of the supply is too low'
          : 'the voltage of the supply has been too low since the start of the machine',
        todo: 'use a power supply and a cable made for this Pi, and fewer USB devices; then start it again'
      }))
  },
  {
    code: 'throttled',
    look: ({ machine: { power, temperatureC = 0 } }, { temperatureC: most }) =>
      when(power?.throttled?.now === true || power?.hot?.now === true || temperatureC >= most, () => ({
        state: 'attention',
        text: 'the machine is hot or short of power, and slows itself down',
        todo: 'give it air, a heat sink or a fan, and a good power supply'
      }))
  },
  {
    code: 'memory-short',
    look: ({ machine: { memory } }, { memoryShare }) =>
      when(memory !== undefined && memory.availableBytes < memoryShare * memory.totalBytes, () => ({
        state: 'attention',
        text: 'the machine has hardly any memory left',
        todo: 'see what else runs on it'
      }))
  }
]
