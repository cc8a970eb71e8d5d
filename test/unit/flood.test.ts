import t from 'tap'
import { Flood } from '../../lib/relay/flood.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const ID = 'a'.repeat(64) as MessageId
const OTHER = 'b'.repeat(64) as MessageId
const LINKS = ['one', 'two', 'three']

t.test('a message goes over every link but the one that it came over', async (t) => {
  const flood = new Flood<string>()
  flood.heard(ID, 'one')
  t.same(flood.accept(ID, LINKS), ['two', 'three'])
})

t.test('whoever sends a copy while it is being verified has it already', async (t) => {
  const flood = new Flood<string>()
  flood.heard(ID, 'one')
  flood.heard(ID, 'three')
  flood.heard(ID, 'three')
  t.same(flood.accept(ID, LINKS), ['two'])
})

t.test('a message that came over every link goes nowhere', async (t) => {
  const flood = new Flood<string>()
  for (const link of LINKS) flood.heard(ID, link)
  t.same(flood.accept(ID, LINKS), [])
})

t.test('a message that was never heard goes everywhere', async (t) => {
  t.same(new Flood<string>().accept(ID, LINKS), LINKS)
})

t.test('links that came up meanwhile get it, and links that ended do not', async (t) => {
  const flood = new Flood<string>()
  flood.heard(ID, 'one')
  t.same(flood.accept(ID, ['two', 'four']), ['two', 'four'])
})

t.test('messages are kept apart', async (t) => {
  const flood = new Flood<string>()
  flood.heard(ID, 'one')
  flood.heard(OTHER, 'two')
  t.same(flood.accept(ID, LINKS), ['two', 'three'])
  t.same(flood.accept(OTHER, LINKS), ['one', 'three'])
})

t.test('a refused copy says nothing about the other copies', async (t) => {
  const flood = new Flood<string>()
  flood.heard(ID, 'broken')
  flood.heard(ID, 'one')
  flood.refuse(ID, 'broken')
  t.same(flood.accept(ID, ['broken', ...LINKS]), ['broken', 'two', 'three'], 'no echo to the genuine sender')
})

t.test('nothing is kept of what was accepted or refused', async (t) => {
  const flood = new Flood<string>()
  flood.heard(ID, 'one')
  flood.accept(ID, LINKS)
  t.same(flood.accept(ID, LINKS), LINKS)
  flood.heard(OTHER, 'one')
  flood.refuse(OTHER, 'one')
  t.same(flood.accept(OTHER, LINKS), LINKS)
  flood.refuse(OTHER, 'one')
  t.same(flood.accept(OTHER, LINKS), LINKS, 'refusing what is not there is harmless')
})
