import { MANIFEST, type Manifest } from '../../captures/manifest.ts'
import type { SealedFolder } from '../../captures/sealed.ts'
import { type Html, html } from '../html.ts'
import type { Snapshot } from '../snapshot.ts'
import { countWords, shareWords, sizeWords } from '../words.ts'

/** How much of all streams of a folder was heard: 0 to 1. */
export function folderShare({ streams }: Manifest): number {
  const sum = (of: (coverage: Manifest['streams'][number]['coverage']) => number): number =>
    streams.reduce((total, { coverage }) => total + of(coverage), 0)
  const lengthUs = sum(({ fromUs, toUs }) => toUs - fromUs)
  return lengthUs === 0 ? 1 : sum(({ heardUs }) => heardUs) / lengthUs
}

/** Every sealed folder with its files, the newest first. */
export function capturesPage({ sealed, captures }: Snapshot): Html {
  const folders = [...sealed].reverse().map((one) => {
    const known = captures
      .find(({ capture }) => capture === one.capture)
      ?.sealed.find(({ folder }) => folder === one.folder)
    return folderItem(one, known?.confirmed === true)
  })
  return html`<h1>Sealed folders</h1>
<p>Messages hold students' ids: keep what you download as carefully as the logs themselves.</p>
${folders.length === 0 ? html`<p>There are none here yet.</p>` : folders}`
}

function folderItem({ capture, folder, manifest }: SealedFolder, isConfirmed: boolean): Html {
  const base = `/captures/${capture}/${folder}`
  const files = manifest.files.map(
    ({ name, bytes }) => html`<li><a href="${base}/${name}" download>${name}</a> (${sizeWords(bytes)})</li>`
  )
  const frames = manifest.streams.reduce((sum, stream) => sum + stream.frames, 0)
  const { timeSources = [] } = manifest
  const others = timeSources.filter((source) => source !== 'ntp')
  const time = others.length === 0 ? '' : `, time source ${timeSources.join(', ')}`
  return html`<details><summary>${capture}/${folder}: ${countWords(frames)} frames, ${shareWords(folderShare(manifest))} covered${isConfirmed ? ', confirmed by the primary' : ''}${time}</summary>
<ul><li><a href="${base}/${MANIFEST}" download>${MANIFEST}</a></li>${files}</ul></details>`
}
