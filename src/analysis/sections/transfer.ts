import { explainedFraction } from '../measures/explained-fraction.js';
import { transferGap, type TransferFactors, type TransferGap } from '../measures/transfer-gap.js';
import { endOfQuestions, type RunData } from '../run-data.js';
import type { RunValue } from '../quantity.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import { readTransfer, stepSizesOf, tagPairs, type TagPairRows, type TransferRow } from '../transfer-rows.js';

const noTag = { kind: 'zero', name: '0, the tag does not matter' } as const;
const noTransfer = { kind: 'zero', name: '0, no transfer' } as const;
const perRate = 'nats/rate';

/** What one update with a definition's gradient does to the loss of the questions about its variable. */
export const transfer: SectionSpec = {
  name: 'transfer',
  title:
    'Fall of the loss of held-out questions after one update with the definition alone, new variables (end of the stage ' +
    'with questions); plain gradient steps per unit of learning rate',
  quantities: [
    { key: 'gap', name: 'fall with the reliable - the unreliable tag', unit: perRate, null: noTag },
    { key: 'predicted gap', name: 'the same to first order', unit: perRate, null: noTag },
    { key: 'norm part', name: 'of it because norms differ', unit: perRate, null: noTag },
    { key: 'angle part', name: 'of it because angles differ', unit: perRate, null: noTag },
    { key: 'curvature part', name: 'of it because curvatures differ', unit: perRate, null: noTag },
    { key: 'reliable', name: 'fall, reliable tag', unit: perRate, null: noTransfer },
    { key: 'unreliable', name: 'fall, unreliable tag', unit: perRate, null: noTransfer },
    { key: 'explained', name: 'predicted / actual, smallest step', unit: '1', null: null },
    { key: 'explained large', name: 'predicted / actual, largest step', unit: '1', null: null },
    { key: 'second', name: 'with curvature / actual, largest step', unit: '1', null: null },
    {
      key: 'share gap',
      name: "fall by the optimizer's share of the definition, reliable - unreliable (first checkpoint after)",
      unit: 'nats',
      null: noTag,
    },
    {
      key: 'share predicted',
      name: "the same to first order (optimizer's share)",
      unit: 'nats',
      null: noTag,
    },
    { key: 'share explained', name: "predicted / actual, optimizer's share", unit: '1', null: null },
    {
      key: 'preconditioned gap',
      name: "cosine in the optimizer's geometry, reliable - unreliable",
      unit: '1',
      null: noTag,
    },
  ] satisfies QuantitySpec[],
  measure: async (run) => {
    const rows = await readTransfer(run);
    if (rows === null) return null;
    const end = endOfQuestions(run.info);
    const later = rows.filter(({ step, update }) => update === 'optimizer' && step > end);
    // At the end of the stage the optimizer has no second moments of the new variables, and the next one starts afresh.
    const inside = Math.min(...later.map(({ step }) => step));
    return {
      ...ofPlainSteps(
        run,
        rows.filter(({ step }) => step === end),
      ),
      ...ofShares(
        run,
        rows.filter(({ step }) => step === (later.length > 0 ? inside : end)),
      ),
    };
  },
};

function ofPlainSteps(run: RunData, rows: readonly TransferRow[]): RunValues {
  const sizes = stepSizesOf(rows, 'sgd');
  const [smallest, largest] = [sizes[0], sizes.at(-1)];
  if (smallest === undefined || largest === undefined) {
    return missing(
      ['gap', 'predicted gap', 'reliable', 'unreliable', 'explained'],
      `seed ${run.info.seed}: no transfer was measured at the end of the stage with questions`,
    );
  }
  const pairs = tagPairs(rows, 'sgd', smallest);
  const large = tagPairs(rows, 'sgd', largest);
  const split = splitOf(pairs, smallest);
  const part = (name: keyof TransferGap): RunValue => {
    if (typeof split === 'string') return split;
    // The gap is one of losses; its fall has the other sign.
    return split.map((own) => -own[name] / smallest);
  };
  const fall = (value: (pair: TagPairRows) => number): RunValue =>
    pairs.map((pair) => -value(pair) / smallest);
  return {
    gap: fall(({ reliable, unreliable }) => reliable.actual - unreliable.actual),
    'predicted gap': fall(({ reliable, unreliable }) => reliable.predicted - unreliable.predicted),
    'norm part': part('norm'),
    'angle part': part('angle'),
    'curvature part': part('curvature'),
    reliable: fall(({ reliable }) => reliable.actual),
    unreliable: fall(({ unreliable }) => unreliable.actual),
    explained: explained(pairs, ({ predicted }) => predicted),
    'explained large': explained(large, ({ predicted }) => predicted),
    second: explained(large, ({ predicted, curvature }) => predicted + curvature),
  };
}

function ofShares(run: RunData, rows: readonly TransferRow[]): RunValues {
  const [size] = stepSizesOf(rows, 'optimizer');
  if (size === undefined) {
    return missing(
      ['share gap', 'share predicted', 'share explained', 'preconditioned gap'],
      `seed ${run.info.seed}: the optimizer has no state at the end of the stage with questions`,
    );
  }
  const pairs = tagPairs(rows, 'optimizer', size);
  const cosines = pairs
    .map(({ reliable, unreliable }) => reliable.preconditionedCosine - unreliable.preconditionedCosine)
    .filter((value) => Number.isFinite(value));
  return {
    'share gap': pairs.map(({ reliable, unreliable }) => unreliable.actual - reliable.actual),
    'share predicted': pairs.map(({ reliable, unreliable }) => unreliable.predicted - reliable.predicted),
    'share explained': explained(pairs, ({ predicted }) => predicted),
    'preconditioned gap': cosines,
  };
}

/** Predicted over actual changes, both summed over the definitions with either tag. */
function explained(pairs: readonly TagPairRows[], predicted: (row: TransferRow) => number): RunValue {
  const rows = pairs.flatMap(({ reliable, unreliable }) => [reliable, unreliable]);
  return explainedFraction(
    rows.map(predicted),
    rows.map(({ actual }) => actual),
  );
}

/** Parts of the gap of each variable; the reason of the first that has none. */
function splitOf(pairs: readonly TagPairRows[], stepSize: number): TransferGap[] | string {
  const parts: TransferGap[] = [];
  for (const { reliable, unreliable } of pairs) {
    const own = transferGap(factorsOf(reliable), factorsOf(unreliable), stepSize);
    if (typeof own === 'string') return own;
    parts.push(own);
  }
  return parts;
}

/** Factors of the update direction `u = (change of the parameters) / stepSize`. */
function factorsOf({ normUpdate, normQuestions, cosine, curvature, stepSize }: TransferRow): TransferFactors {
  return {
    updateNorm: normUpdate / stepSize,
    queryNorm: normQuestions,
    cosine,
    curvature: (2 * curvature) / normUpdate ** 2,
  };
}

function missing(keys: readonly string[], reason: string): RunValues {
  return Object.fromEntries(keys.map((key) => [key, reason]));
}
