import { keyText } from '../count.ts'
import { type Key, readCounted } from '../count-message.ts'
import type { Message, Reader } from '../reader.ts'
import { StudentState } from '../student-state.ts'

/** Each student's commands and feedback, by user, experiment and course. What the Pi sends itself is an answer, never one. */
export const studentGraphs: Reader<StudentState> = {
  name: 'student-graphs',
  version: 1,
  wants: ({ origin }) => origin !== 'own',
  take(message) {
    const counted = readCounted(message.value)
    if (counted === undefined) return undefined
    if (typeof counted === 'string') return { skipped: counted }
    const { position, part, origin } = message
    const tMs = counted.kind === 'command' ? counted.tMs : undefined
    const arrival = { position, part, receivedMs: receivedMs(message, tMs), late: origin === 'import' }
    return { key: keyText(counted.key), change: (state) => state.add(counted, arrival) }
  },
  begin: (key) => new StudentState(keyOf(key)),
  encode: (state) => state.encode(),
  decode: (key, bytes) => StudentState.decode(keyOf(key), bytes),
  size: (state) => state.bytes
}

function keyOf(text: string): Key {
  const [user, exp, course] = JSON.parse(text)
  return { user, exp, course }
}

/** As the Pi's clock said, or where that was not right as the browser's did. */
function receivedMs({ wallUs, source }: Message, tMs: number | undefined): number {
  return Math.floor(source === 'none' ? (tMs ?? wallUs / 1000) : wallUs / 1000)
}
