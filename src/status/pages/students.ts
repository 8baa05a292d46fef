import { createHash } from 'node:crypto'
import { keyText } from '../../analytics/count.ts'
import { svgOf } from '../../analytics/drawing/svg.ts'
import type { Model, Models } from '../../analytics/models.ts'
import type { StudentGraph } from '../../analytics/student-graphs.ts'
import { printable, shortId } from '../../analytics/student-ids.ts'
import { drawing, type Html, html } from '../html.ts'
import type { Snapshot } from '../snapshot.ts'
import { countWords, time } from '../words.ts'

const MOST_SHOWN = 500

/** Who is shown, and beside which task. */
export interface Chosen {
  /** As `markOf` gives it. */
  readonly student?: string | undefined
  /** A comparison graph's name. */
  readonly task?: string | undefined
}

/** Students' graphs, by shortened ids, one of them drawn beside a task. */
export function studentsPage(
  { zone, report: { nowMs } }: Snapshot,
  students: readonly StudentGraph[],
  models: Models,
  { student: mark, task }: Chosen
): Html {
  const byTime = [...students].sort((a, b) => b.lastMs - a.lastMs)
  const shown = byTime.find((one) => markOf(one) === mark)
  const rows = byTime.slice(0, MOST_SHOWN).map((one) => {
    const link = html`<a href="/graphs/students?student=${markOf(one)}">${shortId(one.user)}</a>`
    return html`<tr><th scope="row">${link}</th><td>${one.exp} ${printable(one.course)}</td><td>${countWords(one.commands)}</td><td>${time(zone, one.lastMs, nowMs)}</td></tr>`
  })
  const left = byTime.length - rows.length
  return html`<h1>Students' graphs</h1>
${shown ? drawn(shown, models.of(shown.exp, shown.course), task) : undefined}
${rows.length === 0 ? html`<p>There are none yet.</p>` : html`<table><thead><tr><th scope="col">Student</th><th scope="col">Course</th><th scope="col">Commands</th><th scope="col">Last seen</th></tr></thead><tbody>${rows}</tbody></table>`}
${left > 0 ? html`<p>And ${countWords(left)} whose last message is older: <code>understudy students</code> lists them all.</p>` : undefined}`
}

/** Names a student's graph in a link, without the id. */
function markOf(student: StudentGraph): string {
  return createHash('sha256').update(keyText(student)).digest('hex').slice(0, 16)
}

function drawn(student: StudentGraph, tasks: readonly Model[], named: string | undefined): Html {
  const { user, exp, course, matrix } = student
  const task = tasks.find(({ name }) => name === named) ?? tasks[0]
  const links = tasks.map(
    ({ name }) =>
      html`<li><a href="/graphs/students?student=${markOf(student)}&amp;task=${name}"${name === task?.name ? html` aria-current="true"` : undefined}>${name}</a></li>`
  )
  const svg = svgOf({ exp, course: printable(course), who: shortId(user), student: matrix, task })
  return html`<section><h2>${shortId(user)} in ${exp} ${printable(course)}</h2>
<p>Beside a task of the course:</p><ul>${links}</ul>
<figure class="graph wide" tabindex="0" aria-label="The two graphs">${drawing(svg)}</figure></section>`
}
