import { nodesOf, states, subjectsOf } from '../../analytics/experiments.ts'

/** Words that every message has and that say nothing of anybody, though anybody may call himself so. */
export const ordinaryWords: ReadonlySet<string> = new Set([
  ...['analytics', 'log', 'request', 'response', 'feedback', 'cie3', 'engdes1'],
  ...['voltage', 'position', 'speed', ...Object.keys(nodesOf), ...Object.values(nodesOf).flat()],
  ...states,
  ...subjectsOf('spinner', 'cie3'),
  ...subjectsOf('spinner', 'engdes1'),
  ...subjectsOf('pendulum', 'engdes1'),
  ...['user', 'exp', 'course', 'hardware', 'type', 'payload', 'content', 'state', 'subject', 'data', 'set'],
  ...['actor', 'verb', 'object', 'context', 'id', 'name', 'username', 'level', 'timestamp', 'version', 'value']
])
