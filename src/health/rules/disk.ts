import { dayText, type Finding, type Rule, when } from '../rule.ts'

const room = 'make room, set [journal] max_age, or use a larger disk'

/** Whether there will be room, and the disk lasts. */
export const diskRules: readonly Rule[] = [
  {
    code: 'disk-filling',
    look: ({ machine, nowMs }, { diskMs, diskUrgentMs }) =>
      machine.disks.flatMap(({ use, fullMs, freeBytes, minFreeBytes }) =>
        when(freeBytes > minFreeBytes && fullMs !== undefined && fullMs - nowMs <= diskMs, () => ({
          state: fullMs! - nowMs <= diskUrgentMs ? 'failing' : 'attention',
          text: `the disk of the ${use} will be full on ${dayText(fullMs!)}`,
          todo: room
        }))
      )
  },
  {
    code: 'disk-full',
    look: ({ machine, sync }) =>
      machine.disks.flatMap(({ use, freeBytes, minFreeBytes }) =>
        when(freeBytes <= minFreeBytes, (): Finding => {
          const isSafe = sync?.configured === true && sync.unconfirmed === 0
          return {
            state: isSafe ? 'note' : 'attention',
            text: `the disk of the ${use} is full: the oldest is removed for what comes`,
            todo: isSafe ? `nothing: the primary has what was sealed; to keep it here longer, ${room}` : room
          }
        })
      )
  },
  {
    code: 'inodes-low',
    look: ({ machine }, { inodesShare }) =>
      machine.disks.flatMap(({ use, freeInodes = 0, totalInodes = 0 }) =>
        when(totalInodes > 0 && freeInodes < inodesShare * totalInodes, () => ({
          state: freeInodes === 0 ? 'failing' : 'attention',
          text: `the disk of the ${use} has hardly any inodes left`,
          todo: 'remove folders of many small files from it'
        }))
      )
  },
  {
    code: 'card-worn',
    look: ({ machine }, { lifeYears: leastYears, lifeUsed: most, lifeUsedUrgent }) =>
      machine.disks.flatMap(({ use, wear: { device, lifeYears, lifeUsed = 0, reserve } = { device: '' } }) => {
        const isUrgent = reserve === 'urgent' || lifeUsed > lifeUsedUrgent
        const isWorn = isUrgent || reserve === 'warning' || lifeUsed > most
        const isShort = lifeYears !== undefined && lifeYears < leastYears
        return when(isWorn || isShort, () => ({
          state: isUrgent ? 'failing' : 'attention',
          text: isWorn
            ? `${device}, the disk of the ${use}, says that it is worn out`
            : `${device}, the disk of the ${use}, will not last a year at this pace`,
          todo: 'exchange it; the card that is out keeps what is on it'
        }))
      })
  }
]
