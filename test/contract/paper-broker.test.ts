import { FILL_MODELS, type FillModelName } from '../../engine/core/matching.ts'
import { PaperBroker } from '../../plugins/broker/paper.ts'
import { describeBroker } from './broker-suite.ts'

for (const fillModel of Object.keys(FILL_MODELS) as FillModelName[]) {
  describeBroker(`the paper broker (${fillModel})`, ({ cash, costs, instruments }) => {
    const { maker, taker, feeAsset, slippageBps } = costs
    return new PaperBroker({
      cash, fees: { maker, taker, asset: feeAsset }, slippageBps, fillModel, fillTimeframe: null, latencyCandles: 0,
    }, instruments, '1h')
  })
}
