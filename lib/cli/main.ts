#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Command, CommanderError } from 'commander'
import { addDemo } from './demo/demo.ts'
import { addMember } from './demo/member-command.ts'
import { addDiscover } from './discover.ts'
import { describeError, exitCodeOf, WRONG_USAGE } from './failure.ts'
import { addId } from './id.ts'
import { addKeygen } from './keygen.ts'
import { addPeers } from './peers.ts'
import { addRun } from './run.ts'
import { addSend } from './send.ts'
import { addSign } from './sign.ts'
import { addVerify } from './verify.ts'
import { addWatch } from './watch/watch.ts'

// The same two steps up from here in the sources and in the package.
const PACKAGE = new URL('../../', import.meta.url)

const NOTES = `
Exit codes: 0 all is well, 1 what was asked for failed, 2 the command line is wrong.
Key files with a password: set SECURE_NODE_PASSWORD, or type it at the terminal.
Colours: none in pipes, nor when NO_COLOR is set.

Examples:
  $ secure-node keygen                                    make yourself a name
  $ secure-node run --lan --port 0                        talk, in several terminals or on several machines
  $ secure-node run                                       the same with one address: in one terminal …
  $ secure-node run --port 0 --join 127.0.0.1:10001       … and in others
  $ secure-node peers --join 127.0.0.1:10001 --book       look who is there
  $ secure-node watch 127.0.0.1:10001                     see it live in a browser
  $ secure-node demo                                      see five nodes stand an attack`

/** All commands, and what they have in common. */
function makeProgram(): Command {
  const program = new Command('secure-node')
    .description('Peer-to-peer networks in which every message is signed JSON.')
    .version(versionOf(PACKAGE), '-V, --version', 'print the version')
    .option('--debug', 'print more of what happens, and the stacks of errors')
    .helpOption('-h, --help', 'print this')
    .helpCommand('help [command]', 'print what a command does')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', NOTES)
    // Errors are told below, all in the same way.
    .exitOverride()
    .configureOutput({ outputError: () => {} })
  addKeygen(program)
  addId(program)
  addRun(program)
  addSend(program)
  addDiscover(program)
  addPeers(program)
  addSign(program)
  addVerify(program)
  const files = { main: fileURLToPath(import.meta.url), folder: fileURLToPath(PACKAGE) }
  addDemo(program, files)
  addMember(program)
  addWatch(program, files.folder)
  return program
}

function versionOf(folder: URL): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string }
  return version
}

/** One line, and the exit code; whatever is still to be written is written before the process ends. */
function onError(error: unknown): void {
  if (error instanceof CommanderError) {
    // Help and version come this way too. Without any command, the help is the error, and has been shown.
    const isTold = error.exitCode === 0 || error.code === 'commander.help'
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
    if (!isTold) process.stderr.write(describeError(usageText(error.message), false))
    return
  }
  process.exitCode = exitCodeOf(error)
  process.stderr.write(describeError(error, isDebug()))
}

/** Commander's text without its own "error:". */
function usageText(message: string): string {
  return message.replace(/^error: /, '')
}

/** Not asked of commander: what is wrong may be the very options. */
function isDebug(): boolean {
  return process.argv.includes('--debug') || (process.env['SECURE_NODE_DEBUG'] ?? '') !== ''
}

// `secure-node … | head`: who read us has enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
process.on('uncaughtException', (error) => {
  onError(error)
  process.exit()
})
await makeProgram().parseAsync().catch(onError)
