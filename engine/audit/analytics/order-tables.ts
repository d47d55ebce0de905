import { columns, LINE_KEY, type TableSpec } from './table-spec.ts'

const inOrder = (path: string): string => `CASE WHEN json_type(l."order") = 'OBJECT' THEN l."order"->>'$.${path}' END`

const orders: TableSpec = {
  about: 'One row per thing that was done with an order: meant, accepted, ended, and stops that were moved.',
  source: "trail.lines l WHERE l.type IN ('intent', 'order')",
  reads: ['type'],
  columns: columns(
    ...LINE_KEY,
    ['event', 'VARCHAR', 'intent (about to be sent); protect, sale and take-down (what is about to be told the venue); accepted, rejected, cancelled, expired or void (what became of it); stop-raised.',
      "CASE WHEN l.type = 'intent' THEN coalesce(l.purpose, 'intent') ELSE coalesce(l.state, l.event) END", 'purpose', 'state', 'event'],
    ['order_id', 'VARCHAR', 'The order’s id; that of the order it belongs to for a sale, the venue’s for protect and take-down.',
      `CASE json_type(l."order") WHEN 'OBJECT' THEN l."order"->>'$.id' WHEN 'VARCHAR' THEN l."order"->>'$' ELSE l.id END`, 'order', 'id'],
    ['side', 'VARCHAR', 'buy or sell, of an intent.', inOrder('side'), 'order'],
    ['spend', 'DOUBLE', 'What an entry is to spend, quote.', `(${inOrder('spend')})::DOUBLE`, 'order'],
    ['quantity', 'DOUBLE', 'What is to be sold or protected, base.', `coalesce((${inOrder('quantity')})::DOUBLE, l.quantity)`, 'order', 'quantity'],
    ['stop', 'DOUBLE', 'Stop price of a protection, or the raised one, quote per base.',
      `CASE WHEN l.event = 'stop-raised' THEN l."to"::DOUBLE ELSE l.stop END`, 'stop', 'event', 'to'],
    ['stop_before', 'DOUBLE', 'Stop price before it was raised, quote per base.', `CASE WHEN l.event = 'stop-raised' THEN l."from"::DOUBLE END`, 'event', 'from'],
    ['target', 'DOUBLE', 'Target price of a protection, quote per base.', 'l.target', 'target'],
    ['reason', 'VARCHAR', 'Why it is sold, or what the venue said.', `coalesce(l.reason, ${inOrder('reason')})`, 'reason', 'order'],
  ),
}

const fills: TableSpec = {
  about: 'One row per execution. Its time is the open of the candle in which it happened.',
  source: "trail.lines l WHERE l.type = 'fill'",
  reads: ['type'],
  columns: columns(
    ...LINE_KEY,
    ['order_id', 'VARCHAR', 'The order’s id.', 'l.id', 'id'],
    ['side', 'VARCHAR', 'buy or sell.', 'l.side', 'side'],
    ['price', 'DOUBLE', 'Price, quote per base.', 'l.price', 'price'],
    ['quantity', 'DOUBLE', 'What was executed, base, before a fee in base.', 'l.quantity', 'quantity'],
    ['notional', 'DOUBLE', 'Price × quantity, quote.', 'l.notional', 'notional'],
    ['fee_base', 'DOUBLE', 'Fee, base.', 'l.fee_base', 'fee_base'],
    ['fee_quote', 'DOUBLE', 'Fee, quote.', 'l.fee_quote', 'fee_quote'],
    ['slippage', 'DOUBLE', 'What was lost against the price without slippage, quote.', 'l.slippage', 'slippage'],
    ['liquidity', 'VARCHAR', 'maker or taker.', 'l.liquidity', 'liquidity'],
    ['reason', 'VARCHAR', 'Why the position was closed; null for a buy.', 'l.reason', 'reason'],
    ['ambiguous', 'BOOLEAN', 'The candle touched stop and target, so that nobody knows which came first.', 'l.ambiguous', 'ambiguous'],
    ['stop', 'DOUBLE', 'Stop that an entry armed, quote per base; null for none.', 'l.stop', 'stop'],
    ['target', 'DOUBLE', 'Target that an entry armed, quote per base; null for none.', 'l.target', 'target'],
  ),
}

const trades: TableSpec = {
  about: 'One row per closed trade.',
  source: "trail.lines l WHERE l.type = 'trade'",
  reads: ['type'],
  columns: columns(
    ...LINE_KEY,
    ['entry_time', 'TIMESTAMP', 'Open of the candle of the entry, UTC.', 'l.entryTime', 'entryTime'],
    ['entry_price', 'DOUBLE', 'Average entry price, quote per base.', 'l.entryPrice', 'entryPrice'],
    ['exit_time', 'TIMESTAMP', 'Open of the candle of the exit, UTC.', 'l.exitTime', 'exitTime'],
    ['exit_price', 'DOUBLE', 'Average exit price, quote per base.', 'l.exitPrice', 'exitPrice'],
    ['quantity', 'DOUBLE', 'What was sold, base.', 'l.quantity', 'quantity'],
    ['reason', 'VARCHAR', 'Why it was closed: signal, stop, target, trailing, time, end …', 'l.reason', 'reason'],
    ['fees', 'DOUBLE', 'Fees of entry and exit, quote.', 'l.fees', 'fees'],
    ['pnl', 'DOUBLE', 'Won or lost after all fees, quote.', 'l.pnl', 'pnl'],
    ['net_return', 'DOUBLE', 'The same as a fraction of what the entry cost.', 'l.netReturn', 'netReturn'],
    ['stop', 'DOUBLE', 'Stop at the end, quote per base; null for none.', 'l.stop', 'stop'],
    ['target', 'DOUBLE', 'Target, quote per base; null for none.', 'l.target', 'target'],
    ['candles', 'BIGINT', 'How long it was held, decision candles.', 'l.candles', 'candles'],
  ),
}

export const ORDER_TABLES = { orders, fills, trades }
