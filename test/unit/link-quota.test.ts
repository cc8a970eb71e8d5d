import t from 'tap'
import {
  ANSWER_BYTES_BURST,
  ANSWER_BYTES_RATE,
  QUESTION_BURST,
  QUESTION_COPIES_BURST,
} from '../../lib/limits/network-limits.ts'
import { LinkQuota } from '../../lib/discovery/link-quota.ts'

t.test('a link may bring so many questions, and more copies of them', async (t) => {
  const { questions, copies } = new LinkQuota(0)
  for (let count = 0; count < QUESTION_BURST; count++) t.equal(questions.take(0), true)
  t.equal(questions.take(0), false)
  t.equal(questions.take(1_000), true, 'one a second')
  for (let count = 0; count < QUESTION_COPIES_BURST; count++) t.equal(copies.take(0), true)
  t.equal(copies.take(0), false)
})

t.test('answers are counted in bytes, each way for itself', async (t) => {
  const quota = new LinkQuota(0)
  t.equal(quota.takeIn(ANSWER_BYTES_BURST, 0), true)
  t.equal(quota.takeIn(1, 0), false)
  t.equal(quota.takeOut(1, 0), true)
  t.equal(quota.takeIn(ANSWER_BYTES_RATE, 1_000), true)
})

t.test('what goes beyond is owed', async (t) => {
  const quota = new LinkQuota(0)
  t.equal(quota.takeOut(ANSWER_BYTES_BURST - 1, 0), true)
  t.equal(quota.takeOut(1 + ANSWER_BYTES_RATE, 0), true, 'there is one left')
  t.equal(quota.takeOut(1, 999), false)
  t.equal(quota.takeOut(1, 1_001), true)
})

t.test('a link begins as one that was not rejected', async (t) => {
  t.equal(new LinkQuota(0).isRejected, false)
})
