import { type Html, html } from '../html.ts'

/** @param fault what was wrong with the last attempt */
export function loginPage(passwordFile: string, fault?: string): Html {
  return html`<h1>Password</h1>
${fault === undefined ? undefined : html`<p class="fault" role="alert">${fault}</p>`}
<form method="post" action="/login">
<p><label for="password">The password of this Understudy</label></p>
<p><input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button type="submit">Show the page</button></p>
</form>
<p>It is on the machine itself, in <code>${passwordFile}</code>.</p>`
}
