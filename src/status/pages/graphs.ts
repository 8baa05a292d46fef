import { svgOf } from '../../analytics/drawing/svg.ts'
import type { Models } from '../../analytics/models.ts'
import { drawing, type Html, html } from '../html.ts'

/** The comparison graphs in force, drawn. */
export function graphsPage(models: Models, showStudents: boolean): Html {
  const figures = models.list().map(({ name, exp, course, task, matrix }, index) => {
    const svg = svgOf({ exp, course, who: name, student: matrix }, { id: `model-${index}` })
    return html`<section><h2>${name}</h2><p>Task ${task} of ${course}, with the ${exp}.</p><figure class="graph">${drawing(svg)}</figure></section>`
  })
  const problems = models.problems.map(({ file, detail }) => html`<li>${file}: ${detail}</li>`)
  return html`<h1>Task graphs</h1>
<p>How often the commands of a task follow each other when somebody does it well; students are measured against it.</p>
${showStudents ? html`<p><a href="/graphs/students">Students' graphs</a></p>` : undefined}
${problems.length > 0 ? html`<h2>Not used</h2><ul>${problems}</ul>` : undefined}
${figures.length > 0 ? figures : html`<p>There are none.</p>`}`
}
