import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Experiment, nodesOf } from '../experiments.ts'
import type { Comparison } from './comparison.ts'
import { csvOf } from './csv.ts'
import { dotOf } from './dot.ts'
import { jsonOf } from './json.ts'
import { svgOf } from './svg.ts'

const spinner = (cells: Record<string, number>): number[][] =>
  nodesOf.spinner.map((from) => nodesOf.spinner.map((to) => cells[`${from}>${to}`] ?? 0))

const comparison: Comparison = {
  exp: 'spinner',
  course: 'cie3',
  who: 'abc…',
  student: spinner({ 'voltage_step>voltage_step': 9, 'voltage_step>speed_step': 4, 'speed_step>speed_step': 2 }),
  task: {
    name: 'spinner-cie3-9',
    matrix: spinner({ 'voltage_step>voltage_step': 36, 'voltage_step>position_step': 1, 'speed_step>speed_step': 2 })
  }
}
const { task: _, ...alone } = comparison

/** Names that a file could hold for something else. */
const name = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '"]; evil',
    '</svg><script>alert(1)</script>',
    '\\',
    '\\"',
    '&amp;',
    ']]>',
    '\u0000\ud800\uffff',
    'a\nb'
  )
)
const any = fc.constantFrom<Experiment>('spinner', 'pendulum').chain((exp) => {
  const size = { minLength: nodesOf[exp].length, maxLength: nodesOf[exp].length }
  const matrix = fc.array(fc.array(fc.oneof(fc.constant(0), fc.nat(1000)), size), size)
  return fc.record({
    exp: fc.constant(exp),
    course: name,
    who: name,
    student: matrix,
    task: fc.option(fc.record({ name, matrix }), { nil: undefined })
  })
})

/** The elements of a text that is well-formed XML, in order, with their attributes as they are written. */
function elements(xml: string): Array<{ name: string; attributes: Record<string, string>; text: string }> {
  const found: Array<{ name: string; attributes: Record<string, string>; text: string }> = []
  const open: string[] = []
  const rest = xml.replace(
    /<(\/?)(\w+)((?: [\w:-]+="[^"<]*")*)(\/?)>([^<]*)/g,
    (_, end, name, attributes, alone, text) => {
      if (end) expect(open.pop()).toBe(name)
      else {
        const pairs = [...String(attributes).matchAll(/ ([\w:-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value])
        found.push({ name, attributes: Object.fromEntries(pairs), text })
        if (!alone) open.push(name)
      }
      expect(text).not.toMatch(/&(?!#\d+;)/)
      return ''
    }
  )
  expect([rest, open]).toEqual(['', []])
  return found
}

describe('svg', () => {
  const drawn = elements(svgOf(comparison))
  const labelled = (label: string): number => drawn.filter(({ name, text }) => name === 'text' && text === label).length

  test('nodes are where the dashboard puts them, in both graphs', () => {
    const at = drawn.filter(({ name }) => name === 'circle').map(({ attributes: { cx, cy } }) => `${cx},${cy}`)
    const six = ['100,-173.2', '-100,-173.2', '200,0', '-200,0', '100,173.2', '-100,173.2']
    expect(at).toEqual([...six, ...six])
  })

  test('weights are labels, and missing and surplus edges have a sign and a dash pattern of their own', () => {
    expect([labelled('9'), labelled('36'), labelled('−1'), labelled('+4'), labelled('2')]).toEqual([1, 1, 1, 1, 2])
    const lines = drawn.filter(({ attributes }) => attributes['stroke-width'] && attributes['d']?.includes('M'))
    const patterns = lines.map(({ attributes }) => attributes['stroke-dasharray'] ?? 'solid')
    // the student's, row by row; then the task's; then the legend
    const student = ['solid', '2 7', '14 6', 'solid']
    expect(patterns).toEqual([...student, 'solid', 'solid', 'solid', 'solid', '2 7', '14 6'])
    const widths = lines.map(({ attributes }) => Number(attributes['stroke-width']))
    // 9, 1, 4 and 2 of 36; then 36, 1 and 2
    expect(widths.slice(0, 7)).toEqual([5, 2.33, 3.67, 2.89, 9, 2.33, 2.89])
  })

  test('self-loops are loops: they come back to where they begin', () => {
    const curves = drawn.flatMap(({ attributes: { d } }) => (d?.includes('C') ? [d] : []))
    expect(curves.length).toBe(4)
    for (const d of curves) {
      const numbers = d.match(/-?[\d.]+/g)!.map(Number)
      const [startX, startY, endX, endY] = [numbers[0]!, numbers[1]!, numbers.at(-2)!, numbers.at(-1)!]
      expect(Math.hypot(endX - startX, endY - startY)).toBeLessThan(40)
      // and are wide open between
      expect(Math.hypot(numbers[2]! - numbers[4]!, numbers[3]! - numbers[5]!)).toBeCloseTo(90, 0)
    }
  })

  test('people who hear it are told the same', () => {
    const [svg, title, desc] = drawn
    expect(svg!.attributes).toMatchObject({ role: 'img', 'aria-labelledby': 'graph-title graph-desc' })
    expect(title).toMatchObject({
      name: 'title',
      attributes: { id: 'graph-title' },
      text: 'abc… in spinner cie3, beside spinner-cie3-9'
    })
    expect(desc!.attributes['id']).toBe('graph-desc')
    expect(desc!.text).toBe(
      'Transitions in both: voltage_step to voltage_step (9), speed_step to speed_step (2). Missing: voltage_step to position_step (1). Additional: voltage_step to speed_step (4).'
    )
  })

  test('alone it is half as wide, and nothing is missing or too much', () => {
    const xml = svgOf(alone, { id: 'one' })
    expect(elements(xml)[0]!.attributes).toMatchObject({ width: '620', 'aria-labelledby': 'one-title one-desc' })
    expect(xml).not.toContain('dasharray')
  })

  test('whatever people are called it is a picture and nothing else', () => {
    const allowed = new Set(['svg', 'title', 'desc', 'rect', 'g', 'path', 'circle', 'text'])
    fc.assert(
      fc.property(any, (one) => {
        const found = elements(svgOf(one))
        for (const { name, attributes } of found) {
          expect(allowed).toContain(name)
          for (const key of Object.keys(attributes)) expect(key).not.toMatch(/^(.*href|src|on.*|style)$/)
          const { d = '' } = attributes
          expect(d).not.toMatch(/NaN|Infinity|undefined/)
        }
      })
    )
  })
})

describe('dot', () => {
  test('both graphs, with the same signs and patterns', () => {
    const dot = dotOf(comparison)
    expect(dot).toContain('"student:voltage_step" [label="voltage_step", pos="100,173.20508075688772"]')
    expect(dot).toMatch(/"student:voltage_step" -> "student:position_step" \[label="−1", style=dotted/)
    expect(dot).toMatch(/"student:voltage_step" -> "student:speed_step" \[label="\+4", style=dashed/)
    expect(dot).toMatch(/"task:voltage_step" -> "task:voltage_step" \[label="36", style=solid.*penwidth=9\]/)
    expect(dotOf(alone)).not.toContain('task')
  })

  test('whatever people are called, nothing gets out of its quotes', () => {
    fc.assert(
      fc.property(any, (one) => {
        const bare = dotOf(one).replace(/"(?:[^"\\]|\\.)*"/g, 'Q')
        expect(bare).toMatch(/^[\w\s{}[\]=;,.>Q-]*$/)
      })
    )
  })
})

test('csv has one line an edge', () => {
  expect(csvOf(comparison)).toBe(
    [
      'from,to,student,task,kind',
      'voltage_step,voltage_step,9,36,plain',
      'voltage_step,position_step,0,1,missing',
      'voltage_step,speed_step,4,0,surplus',
      'speed_step,speed_step,2,2,plain\n'
    ].join('\n')
  )
  expect(csvOf(alone)).toBe(
    'from,to,student\nvoltage_step,voltage_step,9\nvoltage_step,speed_step,4\nspeed_step,speed_step,2\n'
  )
})

test('json has the graph, and how far it is from the task', () => {
  expect(jsonOf(comparison)).toMatchObject({
    user: 'abc…',
    edges: expect.arrayContaining([
      { from: 'voltage_step', to: 'position_step', student: 0, task: 1, kind: 'missing' }
    ]),
    task: 'spinner-cie3-9',
    // 10 missing, 1 additional, and 9 of 36: 10 · 3/4
    task_distance: 18.5,
    edit_distance: 27 + 1 + 4
  })
  expect(jsonOf(alone)).not.toHaveProperty('task_distance')
  expect(jsonOf({ ...comparison, student: spinner({}) })).toMatchObject({ task_distance: null })
})
