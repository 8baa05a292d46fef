// Keeps the page as it is now, without which it is as it was when it was loaded.

{
  const AGAIN_MS = 5000
  const main = document.getElementById('main')
  const connection = document.getElementById('connection')
  let events
  let lost
  let again

  const tell = (text) => {
    if (connection.textContent !== text) connection.textContent = text
  }

  const show = (values) => {
    for (const [id, text] of Object.entries(values)) {
      const element = document.getElementById(id)
      if (element && element.textContent !== text) element.textContent = text
    }
  }

  /** Puts what has changed into place, part by part, and leaves the focus where it is. */
  const renew = async () => {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
    if (answer.redirected) return location.reload()
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const [now, before] = [page.getElementById('main'), main]
    if (!answer.ok || !now) throw new Error('no page')
    const focused = document.activeElement
    const [href, id] = [focused?.getAttribute('href'), focused?.id]
    const open = new Set([...before.querySelectorAll('details[open] summary')].map((one) => one.textContent))
    for (const details of now.querySelectorAll('details')) {
      if (open.has(details.querySelector('summary')?.textContent)) details.open = true
    }
    document.title = page.title
    before.replaceChildren(...now.childNodes)
    if (focused && !focused.isConnected) {
      const same = [...before.querySelectorAll('a, button, summary')].find((one) =>
        href ? one.getAttribute('href') === href : id && one.id === id
      )
      ;(same ?? before).focus({ preventScroll: true })
    }
  }

  const listen = () => {
    events = new EventSource('/api/events')
    events.addEventListener('open', () => {
      lost = undefined
      tell('')
      renew().catch(() => {})
    })
    events.addEventListener('values', ({ data }) => show(JSON.parse(data)))
    events.addEventListener('page', () => renew().catch(() => {}))
    events.addEventListener('error', () => {
      lost ??= new Date()
      tell(`No connection since ${lost.toLocaleTimeString()}: what is shown here was so then.`)
      // A server that answers otherwise than with events is not asked again by the browser itself.
      if (events.readyState === EventSource.CLOSED) again = setTimeout(retry, AGAIN_MS)
    })
  }

  /** It may want the password again, or have too many listeners: then the page is renewed at least. */
  const retry = async () => {
    const asked = new Date()
    await renew().then(
      () => {
        lost = asked
      },
      () => {}
    )
    if (!document.hidden) listen()
  }

  // Who does not look costs nothing.
  document.addEventListener('visibilitychange', () => {
    events.close()
    clearTimeout(again)
    if (document.hidden) return
    lost ??= new Date()
    listen()
  })
  // Nothing is live for who is not let in yet.
  if (!document.querySelector('input[type=password]')) listen()
}
