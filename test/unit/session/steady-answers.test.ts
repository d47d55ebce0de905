import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { TapedeckError } from '../../../engine/errors.ts'
import { SteadyAnswers } from '../../../engine/session/recorded-answers.ts'
import { ServiceBook } from '../../../engine/session/service-book.ts'
import { servicesOf } from '../../support/chains.ts'
import { temporaryFolder } from '../../support/run-scenario.ts'
import { talkAt, talking } from '../../support/talks.ts'

it('goes on without answers while the record of services cannot be read, and with them afterwards', async () => {
  const book = new ServiceBook(temporaryFolder())
  const lost: string[] = []
  const answers = new SteadyAnswers(servicesOf([talking('one')], { book }), ({ code }) => lost.push(code))
  expect(await answers.steps(talkAt(1))).toHaveLength(1)
  writeFileSync(book.path, '{"format"')
  expect(await answers.steps(talkAt(2))).toEqual([])
  writeFileSync(book.path, '{"format": 1, "services": {}}')
  expect(await answers.steps(talkAt(3))).toHaveLength(1)
  expect(lost).toEqual(['TD_HEALTH_BROKEN'])
})

it('hides nothing else', async () => {
  const miss = new TapedeckError('TD_RECORDING_MISS', 'not recorded')
  const answers = new SteadyAnswers({ steps: () => Promise.reject(miss) }, () => {})
  await expect(answers.steps(talkAt(1))).rejects.toBe(miss)
})
