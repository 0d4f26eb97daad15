// What `jose` says of tokens: `ok`, or why not, one line for each. The arguments are the folder with the library, and
// the folder with `asked.json` and `tokens.txt`.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [library, folder] = process.argv.slice(2)
const { importJWK, jwtVerify } = await import(pathToFileURL(createRequire(`${library}/`).resolve('jose')))
const asked = JSON.parse(readFileSync(join(folder, 'asked.json'), 'utf8'))
const key = await importJWK(asked.key, 'EdDSA')
const options = {
  algorithms: ['EdDSA', 'Ed25519'],
  issuer: asked.issuer,
  audience: asked.audience,
  clockTolerance: asked.leeway,
  currentDate: new Date(asked.now * 1000),
  requiredClaims: ['exp'],
}
const said = []
for (const token of readFileSync(join(folder, 'tokens.txt'), 'utf8').split('\n')) {
  try {
    await jwtVerify(token, key, options)
    said.push('ok')
  } catch (error) {
    said.push(`${error.code ?? error.name} ${error.message}`.replaceAll('\n', ' '))
  }
}
writeFileSync(join(folder, 'jose.txt'), said.join('\n'))
