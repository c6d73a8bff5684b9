import { designOf } from '../../../data/internalization-design.js';
import { endOfQuestions } from '../../../data/stage-roles.js';
import { transferGap, type TransferGap, type TransferParts } from '../measures/transfer-gap.js';
import { noCounterfactuals } from '../counterfactuals.js';
import type { RunData } from '../run-data.js';
import type { RunValue } from '../quantity.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import { readTransfer, stepSizesOf, tagPairs, type TagPairRows, type TransferRow } from './transfer/rows.js';
import type { Study } from '../study.js';
import { transferPath } from './transfer/path.js';

const noTag = { kind: 'zero', label: '0, the tag does not matter' } as const;
const otherQuestions = {
  kind: 'measured',
  label: 'the same with questions of another variable of the subset',
  key: 'gap.null',
} as const;
const noNull = {
  kind: 'zero',
  label: '0, the tag does not matter (probe again to measure questions of other variables)',
} as const;
const noTransfer = { kind: 'zero', label: '0, no transfer' } as const;
const perRate = 'nats/rate';

/** What one update with a definition's gradient does to the loss of the questions about its variable. */
const transfer: SectionSpec = {
  id: 'transfer',
  title:
    'Transfer: decrease of the loss of held-out questions after one update on the definition alone, new variables (end of the stage ' +
    'with questions); of plain gradient steps, per unit of learning rate',
  ids: () => quantitiesOf(true).map(({ id }) => id),
  probe: 'transfer',
  quantities: (_, measured) => quantitiesOf(measured.some((own) => own['gap.null'] !== undefined)),
  measure: async (run) => {
    const rows = await readTransfer(run);
    if (rows === null) return null;
    const end = endOfQuestions(run.info);
    // At the end of the stage the optimizer has no second moments of the new variables, and the next one starts afresh.
    const later = rows.filter(({ step, update }) => update === 'optimizer' && step > end);
    const inside = Math.min(...later.map(({ step }) => step));
    return {
      ...ofPlainSteps(
        run,
        rows.filter(({ step }) => step === end),
      ),
      ...ofShares(
        run,
        later.filter(({ step }) => step === inside),
      ),
    };
  },
};

/** `hasNull`: whether a run was probed with questions of other variables. */
function quantitiesOf(hasNull: boolean): QuantitySpec[] {
  return [
    {
      id: 'gap',
      label: 'gap by tag in the decrease of the loss after a step on the definition',
      shortLabel: 'gap by tag',
      unit: perRate,
      null: hasNull ? otherQuestions : noNull,
      tagDifference: true,
    },
    {
      id: 'gap.predicted',
      label: 'gap by tag in the decrease after a step, to first order',
      shortLabel: 'gap by tag, to first order',
      unit: perRate,
      null: noTag,
      tagDifference: true,
    },
    {
      id: 'gap.norm',
      label: 'norms: their part of the gap by tag in the decrease after a step',
      shortLabel: 'part of the norms',
      unit: perRate,
      null: noTag,
    },
    {
      id: 'gap.angle',
      label: 'angles: their part of the gap by tag in the decrease after a step',
      shortLabel: 'part of the angles',
      unit: perRate,
      null: noTag,
    },
    {
      id: 'gap.curvature',
      label: 'curvatures: their part of the gap by tag in the decrease after a step',
      shortLabel: 'part of the curvatures',
      unit: perRate,
      null: noTag,
    },
    {
      id: 'fall.reliable',
      label: 'reliable tag: decrease of the loss after a step on the definition',
      shortLabel: 'reliable tag',
      unit: perRate,
      null: noTransfer,
    },
    {
      id: 'fall.unreliable',
      label: 'unreliable tag: decrease of the loss after a step on the definition',
      shortLabel: 'unreliable tag',
      unit: perRate,
      null: noTransfer,
    },
    {
      id: 'explained.smallest',
      label: 'smallest step: first-order / actual decrease of the loss, ratio of averages',
      shortLabel: 'smallest step: first-order / actual',
      unit: '1',
      null: null,
    },
    {
      id: 'explained.largest',
      label: 'largest step: first-order / actual decrease of the loss, ratio of averages',
      shortLabel: 'largest step: first-order / actual',
      unit: '1',
      null: null,
    },
    {
      id: 'explained.secondOrder',
      label: 'largest step: second-order / actual decrease of the loss, ratio of averages',
      shortLabel: 'largest step: second-order / actual',
      unit: '1',
      null: null,
    },
    {
      id: 'optimizer.gap',
      label:
        "optimizer's update due to the definition: decrease of the loss, reliable - unreliable tag (first checkpoint after)",
      shortLabel: "optimizer's update: gap by tag",
      unit: 'nats',
      null: noTag,
      tagDifference: true,
    },
    {
      id: 'optimizer.predicted',
      label: "optimizer's update due to the definition: decrease to first order, reliable - unreliable tag",
      shortLabel: "optimizer's update: to first order",
      unit: 'nats',
      null: noTag,
      tagDifference: true,
    },
    {
      id: 'optimizer.explained',
      label: "optimizer's update due to the definition: first-order / actual decrease, ratio of averages",
      shortLabel: "optimizer's update: first-order / actual",
      unit: '1',
      null: null,
    },
    {
      id: 'optimizer.cosine',
      label: "cosine of definition and questions in the optimizer's geometry, reliable - unreliable tag",
      shortLabel: "optimizer's geometry: cosine, gap by tag",
      unit: '1',
      null: noTag,
      tagDifference: true,
    },
  ];
}

const plainKeys = quantitiesOf(false).flatMap(({ id }) => (id.startsWith('optimizer.') ? [] : [id]));
const shareKeys = ['optimizer.gap', 'optimizer.predicted', 'optimizer.explained', 'optimizer.cosine'];

/** Whether definitions with the other tag were measured, which every pair by tag needs. */
function hasSwaps(rows: readonly TransferRow[]): boolean {
  return rows.some(({ definition }) => definition === 'tag_swap');
}

function ofPlainSteps(run: RunData, rows: readonly TransferRow[]): RunValues {
  const sizes = stepSizesOf(rows, 'sgd');
  const [smallest, largest] = [sizes[0], sizes.at(-1)];
  if (smallest === undefined || largest === undefined) {
    return missing(
      ['gap', 'gap.predicted', 'fall.reliable', 'fall.unreliable', 'explained.smallest'],
      `seed ${run.info.seed}: no transfer was measured at the end of the stage with questions`,
    );
  }
  if (!hasSwaps(rows)) return missing(plainKeys, noCounterfactuals('tag_swap'));
  const design = designOf(run.info);
  const pairs = tagPairs(rows, design, 'sgd', smallest);
  const large = tagPairs(rows, design, 'sgd', largest);
  const others = tagPairs(rows, design, 'sgd', smallest, 'other');
  const split = splitOf(pairs);
  const part = (name: keyof TransferGap): RunValue => {
    if (typeof split === 'string') return split;
    // The gap is one of losses; its fall has the other sign.
    return split.map((own) => -own[name] / smallest);
  };
  const fall = (value: (pair: TagPairRows) => number): RunValue =>
    pairs.map((pair) => -value(pair) / smallest);
  return {
    gap: fall(({ reliable, unreliable }) => reliable.actual - unreliable.actual),
    ...(others.length === 0
      ? {}
      : {
          'gap.null': others.map(
            ({ reliable, unreliable }) => (unreliable.actual - reliable.actual) / smallest,
          ),
        }),
    'gap.predicted': fall(({ reliable, unreliable }) => reliable.predicted - unreliable.predicted),
    'gap.norm': part('norm'),
    'gap.angle': part('angle'),
    'gap.curvature': part('curvature'),
    'fall.reliable': fall(({ reliable }) => reliable.actual),
    'fall.unreliable': fall(({ unreliable }) => unreliable.actual),
    'explained.smallest': explained(pairs, ({ predicted }) => predicted),
    'explained.largest': explained(large, ({ predicted }) => predicted),
    'explained.secondOrder': explained(large, ({ predicted, curvature }) => predicted + curvature),
  };
}

function ofShares(run: RunData, rows: readonly TransferRow[]): RunValues {
  const [size] = stepSizesOf(rows, 'optimizer');
  if (size === undefined) {
    return missing(
      shareKeys,
      `seed ${run.info.seed}: no checkpoint after the stage with questions at which the optimizer has second moments of ` +
        'new variables and another update comes',
    );
  }
  if (!hasSwaps(rows)) return missing(shareKeys, noCounterfactuals('tag_swap'));
  const pairs = tagPairs(rows, designOf(run.info), 'optimizer', size);
  const cosines = pairs
    .map(({ reliable, unreliable }) => reliable.preconditionedCosine - unreliable.preconditionedCosine)
    .filter((value) => Number.isFinite(value));
  return {
    'optimizer.gap': pairs.map(({ reliable, unreliable }) => unreliable.actual - reliable.actual),
    'optimizer.predicted': pairs.map(({ reliable, unreliable }) => unreliable.predicted - reliable.predicted),
    'optimizer.explained': explained(pairs, ({ predicted }) => predicted),
    'optimizer.cosine': cosines,
  };
}

/** Predicted and actual changes, both averaged over the definitions with either tag. */
function explained(pairs: readonly TagPairRows[], predicted: (row: TransferRow) => number): RunValue {
  const rows = pairs.flatMap(({ reliable, unreliable }) => [reliable, unreliable]);
  const mean = (value: (row: TransferRow) => number): number =>
    rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
  if (rows.length === 0) return 'there are no changes';
  return { numerator: mean(predicted), denominator: mean(({ actual }) => actual) };
}

/** Parts of the gap of each variable; the reason of the first that has none. */
function splitOf(pairs: readonly TagPairRows[]): TransferGap[] | string {
  const parts: TransferGap[] = [];
  for (const { reliable, unreliable } of pairs) {
    const own = transferGap(partsOf(reliable), partsOf(unreliable));
    if (typeof own === 'string') return own;
    parts.push(own);
  }
  return parts;
}

function partsOf({ normUpdate, normQuestions, cosine, curvature }: TransferRow): TransferParts {
  return { updateNorm: normUpdate, queryNorm: normQuestions, cosine, secondOrder: curvature };
}

function missing(keys: readonly string[], reason: string): RunValues {
  return Object.fromEntries(keys.map((key) => [key, reason]));
}

/** What a step on a definition does to the loss of questions: by single steps, and over the stage with definitions. */
export const transferStudy: Study = {
  sections: [transfer, transferPath],
  claims: [
    {
      id: 'transferGap',
      claim:
        'transfer: a step on the definition of a new variable lowers the loss of its questions more with the reliable tag',
      quantity: 'transfer.gap',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'transferPathOwn',
      claim:
        "transfer over the stage with definitions: the variables' own definitions, update by update, lower the loss of " +
        'their questions more with the reliable tag',
      quantity: 'transferPath.gap.own',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'transferPathShare',
      claim:
        "share of transfer: the variables' own definitions account for more than half of the difference between " +
        'tags in the decrease of the loss',
      quantity: 'transferPath.share.own',
      predicted: 'positive',
      threshold: 0.5,
    },
  ],
  checks: [
    {
      id: 'transferPathClosure',
      check:
        'the path integral by the trapezoidal rule adds up to the change of the loss, variable by variable (calculus)',
      quantity: 'transferPath.closure',
      tolerance: 0.05,
      of: 'seed',
    },
  ],
};
