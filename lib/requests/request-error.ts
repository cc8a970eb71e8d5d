import { type FailAnswer, invalidArgument, SecureNodeError } from '../errors.ts'
import { isName, NAME } from '../message/document.ts'
import { cleanText } from '../wire/close-code.ts'

/**
 * What a handler throws to answer with a reason: `throw new RequestError('sold-out', 'nothing is left')`. The asker
 * gets the code and the text, in the `answer` of its `request-failed`. Of all other errors it learns nothing.
 */
export class RequestError extends SecureNodeError {
  override readonly answer: FailAnswer

  /**
   * @param code A name like those of types: a letter or digit, then up to 63 of `A-Za-z0-9._:/-`.
   * @param text For people; cut after 128 characters, without control characters. @default ''
   * @throws SecureNodeError `invalid-argument`
   */
  constructor(code: string, text = '') {
    const answer = failAnswer(code, text)
    super('request-failed', `the answer to a request is ${answer.code}: ${answer.text}`)
    this.answer = answer
  }
}

/** Checks and cleans what a request fails with. */
export function failAnswer(code: string, text: string): FailAnswer {
  const given: unknown = text
  if (!isName(code)) throw invalidArgument('code', `a name like ${NAME.source}`, code)
  if (typeof given !== 'string') throw invalidArgument('text', 'a string', given)
  return Object.freeze({ code, text: cleanText(given) })
}
