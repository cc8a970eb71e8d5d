import t from 'tap'
import {
  MAX_ANSWERS,
  MAX_ANSWERS_BYTES,
  MAX_ANSWERS_HELD,
  MAX_QUESTIONS,
} from '../../lib/limits/network-limits.ts'
import type { Question } from '../../lib/discovery/question.ts'
import { QuestionMemory } from '../../lib/discovery/question-memory.ts'

const PAST = 30_000
const FUTURE = 60_000
const OWN = { origin: undefined, survey: undefined }

/** As much of a question as is remembered. */
function question(id: string, time: number): Question {
  return { id, body: { time, from: 'asker' } } as unknown as Question
}

t.test('a question is remembered until it would be stale', async (t) => {
  const memory = new QuestionMemory<string>()
  const time = 1_000_000
  t.equal(memory.judgeTime(time, time), undefined)
  memory.add(question('q', time), time, OWN)
  t.equal(memory.judgeTime(time, time + PAST), undefined)
  t.equal(memory.has('q'), true)
  t.equal(memory.judgeTime(time, time + PAST + 1), 'stale')
  t.equal(memory.has('q'), false)
})

t.test('a question from the future is remembered for longer', async (t) => {
  const memory = new QuestionMemory<string>()
  const now = 1_000_000
  t.equal(memory.judgeTime(now + FUTURE + 1, now), 'early')
  t.equal(memory.judgeTime(now + FUTURE, now), undefined)
  memory.add(question('q', now + FUTURE), now, OWN)
  memory.sweep(now + FUTURE + PAST)
  t.equal(memory.has('q'), true)
  memory.sweep(now + FUTURE + PAST + 1)
  t.equal(memory.has('q'), false)
})

t.test('a clock that is set back brings no forgotten question back', async (t) => {
  const memory = new QuestionMemory<string>()
  memory.add(question('q', 1_000_000), 1_000_000, OWN)
  memory.sweep(2_000_000)
  t.equal(memory.judgeTime(1_000_000, 1_000_000), 'stale')
})

t.test('answers are awaited over the links that it was sent to, for a while', async (t) => {
  const memory = new QuestionMemory<string>()
  const now = 1_000_000
  const asked = memory.add(question('q', now + FUTURE), now, { ...OWN, origin: 'home' })
  asked.sentTo.add('away')
  t.equal(memory.awaited('q', 'away'), asked)
  t.equal(memory.awaited('q', 'home'), undefined)
  t.equal(memory.awaited('other', 'away'), undefined)
  t.equal(memory.awaitsAnything('away'), true)
  t.equal(memory.awaitsAnything('home'), false)
  memory.sweep(now + PAST)
  t.equal(asked.isOpen, false)
  t.equal(memory.awaited('q', 'away'), undefined)
  t.equal(memory.has('q'), true, 'its ID stays for as long as it could come again')
})

t.test('a link that has ended is forgotten', async (t) => {
  const memory = new QuestionMemory<string>()
  const asked = memory.add(question('q', 0), 0, { ...OWN, origin: 'home' })
  asked.sentTo.add('away')
  memory.forgetLink('away')
  memory.forgetLink('home')
  t.equal(memory.awaitsAnything('away'), false)
  t.equal(asked.origin, undefined)
})

t.test('answers to one question are bounded in number and in bytes', async (t) => {
  const memory = new QuestionMemory<string>()
  const many = memory.add(question('many', 0), 0, OWN)
  for (let count = 1; count < MAX_ANSWERS; count++) {
    memory.answer(many, `${count}`, 1)
    if (count < MAX_ANSWERS - 1 && !memory.hasRoomFor(many, 1)) t.fail(`no room after ${count}`)
  }
  t.equal(memory.hasRoomFor(many, 1), false)
  const large = memory.add(question('large', 0), 0, OWN)
  memory.answer(large, 'a', MAX_ANSWERS_BYTES - 10)
  t.equal(memory.hasRoomFor(large, 10), true)
  t.equal(memory.hasRoomFor(large, 11), false)
  t.equal(memory.answersHeld, MAX_ANSWERS + 2)
  memory.close(many)
  memory.close(many)
  t.equal(memory.answersHeld, 2)
  memory.closeAll()
  t.equal(memory.answersHeld, 0)
})

t.test('questions are bounded, and the answers to all of them', async (t) => {
  const memory = new QuestionMemory<string>()
  for (let count = 0; count < MAX_QUESTIONS; count++) {
    t.equal(memory.hasRoom, true)
    const asked = memory.add(question(`${count}`, 0), 0, OWN)
    for (let answer = 1; answer < MAX_ANSWERS_HELD / MAX_QUESTIONS; answer++)
      memory.answer(asked, `${answer}`, 1)
    if (count === MAX_QUESTIONS - 1) t.equal(memory.hasRoomFor(asked, 1), false)
  }
  t.equal(memory.hasRoom, false)
  memory.sweep(PAST + 1)
  t.equal(memory.size, 0)
  t.equal(memory.answersHeld, 0)
})
