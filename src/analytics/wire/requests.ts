/** What can be asked for one by one. */
export const contents = [
  'student_graph',
  'comparison_graph',
  'task_identification',
  'indicators',
  'centroids',
  'task_feedback'
] as const

export type Content = (typeof contents)[number]

/** One reply that is owed. */
export interface Wanted {
  readonly content: Content
  /** Of `comparison_graph`: the name of the graph. */
  readonly graph?: string
  /** Of `task_feedback`: the name of the graph. */
  readonly task?: string
}

/** A dashboard's request. */
export interface Request {
  readonly user: string
  /** Not always one that is known. */
  readonly exp: string
  readonly course: string
  /** The replies it asks for, in the order in which they are sent. */
  readonly contents: readonly Wanted[]
}

/** Why a request cannot be understood. */
export type Refusal = 'no user' | 'no experiment' | 'no course' | 'name too long' | 'unknown content'

const MAX_NAME_LENGTH = 256

/**
 * What a parsed message asks for; a reason when it is a request that cannot be understood; `undefined` for every other
 * message. Takes any value.
 */
export function readRequest(message: unknown): Request | Refusal | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { type, user, exp, course, payload } = message as Record<string, unknown>
  if (type !== 'request') return undefined
  if (!isName(user)) return 'no user'
  if (!isName(exp)) return 'no experiment'
  if (!isName(course)) return 'no course'
  if ([user, exp, course].some((name) => name.length > MAX_NAME_LENGTH)) return 'name too long'
  const wanted = wantedOf((payload ?? {}) as Record<string, unknown>)
  return wanted.length === 0 ? 'unknown content' : { user, exp, course, contents: wanted }
}

function wantedOf({ content, graph, task }: Record<string, unknown>): Wanted[] {
  const asked = content === 'all_feedback' ? contents.slice(0, 5) : contents.filter((one) => one === content)
  return asked.map((one) => {
    if (one === 'comparison_graph' && isName(graph)) return { content: one, graph }
    if (one === 'task_feedback' && isName(task)) return { content: one, task }
    return { content: one }
  })
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
