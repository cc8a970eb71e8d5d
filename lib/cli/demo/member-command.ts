import type { Command } from 'commander'
import { Failure, oneLine, WRONG_USAGE } from '../failure.ts'
import { Member } from './member.ts'
import type { Answer, Call } from './member-api.ts'

/** Name of the hidden command that the demo starts its processes with. */
export const MEMBER_COMMAND = 'demo-member'

/** The hidden command: one process of the demo. */
export function addMember(program: Command): void {
  program.command(MEMBER_COMMAND, { hidden: true }).action(serve)
}

function serve(): void {
  if (process.send === undefined) throw new Failure('this command is started by the demo alone', WRONG_USAGE)
  const member = new Member()
  process.on('message', (call) => void answer(member, call as Call))
  // However the conductor ended: without it there is nothing to do.
  process.on('disconnect', () => process.exit())
  // A terminal's Ctrl-C reaches all processes; the conductor sees to it that they end.
  process.on('SIGINT', () => {})
}

async function answer(member: Member, { call, method, args }: Call): Promise<void> {
  try {
    const value: unknown = await (member[method] as (...args: readonly unknown[]) => Promise<unknown>)(
      ...args,
    )
    reply({ call, value })
  } catch (error) {
    reply({ call, error: oneLine(error) })
  }
}

function reply(answer: Answer): void {
  // The conductor may have gone meanwhile.
  if (process.connected) process.send?.(answer)
}
