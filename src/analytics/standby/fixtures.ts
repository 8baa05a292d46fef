import type { Reply } from '../wire/read-reply.ts'
import { type Request, readRequest } from '../wire/requests.ts'

/** What the stand-in's tests share. */

/** A dashboard's request, as it is sent. */
export function asked(content = 'all_feedback', user = 'ann', fields: object = {}): string {
  const payload = { content, graph: 'spinner-cie3-all', task: 'spinner-cie3-3', ...fields }
  return JSON.stringify({ user, t: 1, exp: 'spinner', course: 'cie3', type: 'request', payload })
}

export function aRequest(content?: string, user?: string): Request {
  return readRequest(JSON.parse(asked(content, user))) as Request
}

/** A reply as Python writes it. */
export function said(content: string, user = 'ann', more = '"nodes": []'): string {
  const course = content === 'comparison_graph' ? '' : ', "course": "cie3"'
  return `{"user": "${user}", "type": "response", "exp": "spinner"${course}, "content": "${content}", ${more}}`
}

export function aReply(content: Reply['content'], user = 'ann'): Reply {
  return { content, user, exp: 'spinner', course: content === 'comparison_graph' ? undefined : 'cie3' }
}

export const five = ['student_graph', 'comparison_graph', 'task_identification', 'indicators', 'centroids'] as const
