// What a history on disk promises, where it is hardest to keep: to a node that is killed again and again.
import { join } from 'node:path'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { DiaryProcess, readDiary } from '../fixtures/diary-process.ts'

const KILLS = 20
/** Messages that a life may last. */
const LIFE = 250
/** When to give up waiting for what is missing, so that the test can say what it is, in ms. */
const PATIENCE = 20_000

const program = await DiaryProcess.compile(t)

t.test('a node that is killed twenty times under load misses nothing and hears nothing twice', async (t) => {
  const home = t.testdir()
  const makePlan = async (name: string) => {
    const keyFile = join(home, `${name}.pem`)
    await Identity.generate().save(keyFile)
    return { keyFile, folder: join(home, `${name}.history`) }
  }
  const senders = await Promise.all(
    ['one', 'other'].map(async (name) => DiaryProcess.start(t, program, await makePlan(name))),
  )
  const [one, other] = senders as [DiaryProcess, DiaryProcess]
  const diary = join(home, 'diary')
  const plan = { ...(await makePlan('victim')), diary }
  let victim = DiaryProcess.start(t, program, plan)
  for (const each of [one, other, victim]) await each.until(() => each.port > 0)
  const { port } = victim
  await Promise.all([one.connect(port), other.connect(port), other.connect(one.port)])
  for (const sender of senders) sender.send()

  /** Messages that came again, and that the application recognised. */
  let skipped = 0
  for (let kill = 0; kill < KILLS; kill++) {
    // Now and then while it starts, and else after some messages, so that all of it is hit: what comes, what is fetched,
    // what is written and what is being shown.
    const isEarly = kill % 5 === 4
    const life = Math.floor(LIFE * Math.random())
    await victim.until(() => (isEarly ? victim.isLoaded : victim.noted > life))
    await victim.kill()
    skipped += victim.skipped
    victim = DiaryProcess.start(t, program, { ...plan, port })
  }

  const sent = (await Promise.all(senders.map((sender) => sender.finish()))).flat()
  let isOver = false
  const deadline = setTimeout(() => {
    isOver = true
    victim.tell()
  }, PATIENCE)
  await victim.until(() => isOver || victim.total >= sent.length)
  clearTimeout(deadline)
  // Stopped in order, so that nothing comes any more.
  await Promise.all([one, other, victim].map((each) => each.stop()))

  const lines = readDiary(diary)
  const count = (how: string): number => lines.filter((line) => line.how === how).length
  const noted = lines.map(({ id }) => id)
  const missed = new Set(sent)
  for (const id of noted) missed.delete(id)
  t.same([...missed], [], `nothing of ${sent.length} messages was missed`)
  t.equal(noted.length, new Set(noted).size, 'nothing was heard twice')
  t.equal(noted.length, sent.length, 'and nothing else was heard')
  t.ok(count('live') > 0 && count('late') > 0, 'some came as usual, and some while catching up')
  t.comment(
    `${count('live')} live, ${count('late')} late, ${count('redelivered')} redelivered, ${skipped} skipped`,
  )
})
