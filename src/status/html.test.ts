import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawing, html, live } from './html.ts'

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('<script>', '"onload="', "'", '&amp;', '`', '\ud800')
)

test('whatever is put in stays text, in elements and in attributes', () => {
  fc.assert(
    fc.property(text, text, (attribute, content) => {
      const made = html`<p title="${attribute}">${content}</p>`.text
      const [, inAttribute, inElement] = /^<p title="([^"<>'`]*)">([^"<>'`]*)<\/p>$/.exec(made) ?? []
      expect(unescaped(inAttribute!)).toBe(shown(attribute))
      expect(unescaped(inElement!)).toBe(shown(content))
    })
  )
})

function unescaped(escaped: string): string {
  expect(escaped).not.toMatch(/&(?!#\d+;)/)
  return escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}

/** What a browser may be given of it. */
function shown(given: string): string {
  return given.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
}

test('HTML in HTML stays what it is, in lists too, and what is absent is nothing', () => {
  const items = ['a', '<b>'].map((one) => html`<li>${one}</li>`)
  expect(html`<ul>${items}</ul>${undefined}${0}${[]}${drawing('<svg/>')}`.text).toBe(
    '<ul><li>a</li><li>&#60;b&#62;</li></ul>0<svg/>'
  )
})

test('live texts are known by their ids, and are no part of the shape', () => {
  const page = (count: string, name: string) => html`<p>${name}: ${[live('count', count), live('x', '<')]}</p>`
  expect(Object.fromEntries(page('1', 'a').values)).toEqual({ count: '1', x: '<' })
  expect(page('1', 'a').text).toBe('<p>a: <span id="count">1</span><span id="x">&#60;</span></p>')
  expect(page('1', 'a').shape).toBe(page('2', 'a').shape)
  expect(page('1', 'a').shape).not.toBe(page('1', 'b').shape)
})
