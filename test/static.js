// What can be found without running anything, side by side: types, lint and format. The output of each comes whole.
import { spawn } from 'node:child_process'

const SCRIPTS = ['typecheck', 'lint:code', 'lint:format']

function run(script) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn('npm', ['run', '--silent', script], { shell: process.platform === 'win32' })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    child.on('error', (error) => (output += String(error)))
    child.on('close', (code) => {
      process.stdout.write(`${script}: ${code === 0 ? 'good' : `failed\n${output}`}\n`)
      resolve(code === 0)
    })
  })
}

const results = await Promise.all(SCRIPTS.map(run))
process.exitCode = results.every(Boolean) ? 0 : 1
