import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectRefusal, scenario, Workspace, workspace } from '../support/cli.ts'

/** No file may grow beyond this many blocks of 1,024 bytes: to the program, a disk that is full. */
const limited = (blocks: number, command: string): string => `ulimit -f ${blocks}; exec $TAPEDECK ${command}`

describe.concurrent('a disk without room', () => {
  // The trail of the sample takes about 3 MB, the report half a megabyte, the tables a few kilobytes.
  it.each([
    ['the trail', 200, []],
    ['the report', 100, ['--audit', 'off']],
    ['the tables', 3, ['--audit', 'off', '--no-report']],
  ])('for %s fails the run and leaves nothing', async (_, blocks, flags) => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const outcome = await here.shell(limited(blocks, ['backtest', 's.yaml', '--json', ...flags].join(' ')))
    expectRefusal(outcome, 'TD_RUN_WRITE',
      [here.path('runs', 'tested-'), 'cannot write the run', 'EFBIG', 'free space or give another --out'])
    expect(here.list('runs')).toEqual([])
  })

  it('for the very first byte leaves nothing either', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    expectRefusal(await here.shell(limited(0, 'backtest s.yaml --json')), 'TD_RUN_WRITE', ['EFBIG'])
    expect(here.list('runs')).toEqual([])
  })

  it('leaves an older run of the same id as it was', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    const { run } = await here.json(['backtest', 's.yaml'])
    const before = here.tree()
    expectRefusal(await here.shell(limited(200, 'backtest s.yaml --json')), 'TD_RUN_WRITE', [run])
    expect(here.tree()).toEqual(before)
    expect(here.list('runs')).toEqual([run])
  })

  it.each(['o.csv', 'o.csv.gz'])('fails %s and leaves nothing', async (output) => {
    const here = workspace()
    const outcome = await here.shell(limited(20, `data synth --output ${output} --json`))
    expectRefusal(outcome, 'TD_RUN_WRITE', [here.path(output), 'cannot write', 'EFBIG', '--output'])
    expect(here.list()).toEqual([])
  })

  it('is told when the output itself goes there', async () => {
    const { stderr, code } = await workspace().shell('$TAPEDECK strategies >/dev/full')
    expect(stderr).toMatch(/^tapedeck: the output cannot be written \(ENOSPC.+\) ?.*\[TD_RUN_WRITE\]\n$/)
    expect(code).toBe(1)
  })

  it('as a place that is no folder, fails the run', async () => {
    const here = workspace()
    here.put('s.yaml', scenario())
    here.put('file', 'in the way')
    await here.refuses(['backtest', 's.yaml', '--json', '--out', 'file'], 'TD_RUN_WRITE', [/EEXIST|ENOTDIR/, '--out'])
    await here.refuses(['backtest', 's.yaml', '--json', '--out', 'file/deeper'], 'TD_RUN_WRITE', ['ENOTDIR', '--out'])
  })
})

const place = new Workspace()
mkdirSync(place.path('small'))
const mount = process.getuid?.() === 0
  ? spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place.path('small')], { encoding: 'utf8' }) : null
const reason = mount === null ? 'not root' : mount.error !== undefined ? 'no mount command' : mount.status === 0 ? ''
  : `mount refused: ${mount.stderr.trim()}`
const skipped = reason === '' ? '' : ` (skipped: ${reason})`

describe.skipIf(skipped !== '')(`a disk of one megabyte${skipped}`, () => {
  beforeAll(() => { place.put('s.yaml', scenario()) })

  it('fails the run and is empty again', async () => {
    const outcome = await place.run(['backtest', 's.yaml', '--json', '--out', 'small'])
    expectRefusal(outcome, 'TD_RUN_WRITE', ['ENOSPC', 'free space or give another --out'])
    expect(place.list('small')).toEqual([])
  })

  it('fails a candle file and is empty again', async () => {
    const outcome = await place.run(['data', 'synth', '--candles', '50000', '--json', '--output', 'small/o.csv'])
    expectRefusal(outcome, 'TD_RUN_WRITE', ['ENOSPC', '--output'])
    expect(place.list('small')).toEqual([])
  })

  it('takes what fits', async () => {
    const { run } = await place.json(['backtest', 's.yaml', '--out', 'small', '--audit', 'off'])
    expect(place.list('small')).toEqual([run])
    rmSync(place.path('small', run), { recursive: true })
  })
})

afterAll(() => {
  if (mount?.status === 0) spawnSync('umount', [place.path('small')])
  place.remove()
})
