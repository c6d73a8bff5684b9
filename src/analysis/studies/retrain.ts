import { newSubsets } from '../../../data/design.js';
import { designOf } from '../../../data/internalization-design.js';
import type { RetrainChange, RetrainPredictor, RetrainScope } from '../../store/retrain-names.js';
import { tables } from '../../store/tables/registry.js';
import type { Estimate, Interval } from '../inference/estimate.js';
import { meanOverSeeds } from '../inference/seeds/mean.js';
import type { Quantity, RunValue } from '../quantity.js';
import { readTable, type RunData } from '../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import type { Study } from '../study.js';
import { readRetrained, type RetrainData, type RetrainedOutcome } from './retrain/data.js';
import { readScores, type StoredScore } from './retrain/table.js';

const noEffect = { kind: 'zero', label: '0, no effect' } as const;

/** What single definitions really do: the stage of new variables trained again without them. */
const retraining: SectionSpec = {
  id: 'retraining',
  title:
    'Counterfactual retraining: what the stage of new variables would have done without a definition or with its tag swapped, in the ' +
    'order of the run (the definition with weight 0, everything else the same); held-out questions about the variable',
  quantities: [
    {
      id: 'loss',
      label: 'retraining: rise of the loss of the questions about a variable without its definition',
      shortLabel: 'rise of the loss without the definition',
      unit: 'nats',
      null: {
        kind: 'measured',
        label: 'the same without the definition of another variable (mean over all dropped)',
        key: 'loss.null',
      },
    },
    {
      id: 'accuracy',
      label: 'retraining: fall of the accuracy on the questions about a variable without its definition',
      shortLabel: 'fall of the accuracy without the definition',
      unit: 'accuracy',
      null: {
        kind: 'measured',
        label: 'the same without the definition of another variable (mean over all dropped)',
        key: 'accuracy.null',
      },
    },
    {
      id: 'lossGap',
      label: 'retraining: gap by tag in the rise of the loss without the definition, reliable - unreliable',
      shortLabel: 'gap by tag in the rise of the loss',
      unit: 'nats',
      null: { kind: 'zero', label: '0, the tag does not matter' },
    },
    {
      id: 'tag',
      label:
        "retraining: loss with the unreliable tag - with the reliable one, in the variable's definition alone",
      shortLabel: 'loss, unreliable - reliable tag, same definition',
      unit: 'nats',
      null: { kind: 'zero', label: '0, the tag does not matter' },
      tagDifference: true,
    },
    {
      id: 'tagAccuracy',
      label:
        "retraining: accuracy with the reliable tag - with the unreliable one, in the variable's definition alone",
      shortLabel: 'accuracy, reliable - unreliable tag, same definition',
      unit: 'accuracy',
      null: { kind: 'zero', label: '0, the tag does not matter' },
      tagDifference: true,
    },
    {
      id: 'otherSubset',
      label:
        'retraining: rise of the loss of the questions about one subset without all definitions of the other subset',
      shortLabel: 'rise of the loss without the other subset',
      unit: 'nats',
      null: noEffect,
    },
    {
      id: 'order',
      label:
        'retraining: standard deviation of the loss over orders, questions about a variable, nothing changed',
      shortLabel: 'standard deviation over orders',
      unit: 'nats',
      null: null,
    },
  ],
  measure: async (run) => {
    const data = await readRetrained(run);
    return data === null ? null : effectsOf(run, data);
  },
};

function effectsOf(run: RunData, data: RetrainData): RunValues {
  const { asked, outcomes } = data;
  const of = (change: RetrainChange, order = 0): RetrainedOutcome[] =>
    outcomes.filter((own) => own.change === change && own.order === order);
  const missing = (what: string): string => `seed ${run.info.seed}: ${what}`;
  const [base] = of('nothing');
  if (base === undefined) {
    const reason = missing('the retraining with nothing changed diverged');
    return { loss: reason };
  }
  const design = designOf(run.info);
  const [reliable, unreliable] = [newSubsets(design, 'reliable'), newSubsets(design, 'unreliable')];
  const placeOf = new Map(asked.map(({ variable }, j) => [variable, j]));
  const drops = of('drop');
  const rise = (own: RetrainedOutcome, j: number): number => own.loss[j]! - base.loss[j]!;
  const fall = (own: RetrainedOutcome, j: number): number => base.accuracy[j]! - own.accuracy[j]!;
  const ownOf = (all: readonly RetrainedOutcome[], value: typeof rise): number[] =>
    all.map((own) => value(own, placeOf.get(own.changed!)!));
  const otherOf = (value: typeof rise): number =>
    mean(
      drops.flatMap((own) =>
        asked.flatMap(({ variable }, j) => (variable === own.changed ? [] : [value(own, j)])),
      ),
    );
  const inSubsets = (subsets: readonly string[]): number[] =>
    ownOf(
      drops.filter(({ subset }) => subsets.includes(subset!)),
      rise,
    );
  const swaps = of('tag_swap').filter(({ subset }) => [...reliable, ...unreliable].includes(subset!));
  const sign = ({ subset }: RetrainedOutcome): number => (reliable.includes(subset!) ? 1 : -1);
  const values = (list: readonly number[], what: string): RunValue =>
    list.length === 0 ? missing(what) : list;
  const noSwaps = 'no definitions with swapped tags';
  const [withTag, withoutTag] = [inSubsets(reliable), inSubsets(unreliable)];
  return {
    loss: values(ownOf(drops, rise), 'no dropped definitions'),
    'loss.null': otherOf(rise),
    accuracy: values(ownOf(drops, fall), 'no dropped definitions'),
    'accuracy.null': otherOf(fall),
    lossGap:
      withTag.length === 0 || withoutTag.length === 0
        ? missing('no definitions of both tags')
        : mean(withTag) - mean(withoutTag),
    tag: values(
      swaps.map((own) => sign(own) * rise(own, placeOf.get(own.changed!)!)),
      noSwaps,
    ),
    tagAccuracy: values(
      swaps.map((own) => sign(own) * fall(own, placeOf.get(own.changed!)!)),
      noSwaps,
    ),
    otherSubset: values(
      of('drop_group').flatMap((own) =>
        asked.flatMap(({ subset }, j) => (subset === own.subset ? [] : [rise(own, j)])),
      ),
      'one subset only',
    ),
    order: spreadOverOrders(data) ?? missing('one order only (--orders 2 trains others)'),
  };
}

/** Root mean square over the variables of the standard deviation over orders of the loss with nothing changed. */
function spreadOverOrders({ outcomes, asked }: RetrainData): number | null {
  const all = outcomes.filter(({ change }) => change === 'nothing');
  if (all.length < 2) return null;
  const variances = asked.map((_, j) => {
    const losses = all.map(({ loss }) => loss[j]!);
    const centre = mean(losses);
    return losses.reduce((sum, loss) => sum + (loss - centre) ** 2, 0) / (losses.length - 1);
  });
  return Math.sqrt(mean(variances));
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** A predictor in a report. */
const shownPredictors: readonly {
  readonly name: RetrainPredictor;
  readonly id: string;
  readonly label: string;
}[] = [
  { name: 'inner_product', id: 'innerProduct', label: 'inner product at the start' },
  { name: 'cosine', id: 'cosine', label: 'cosine at the start' },
  { name: 'one_step', id: 'oneStep', label: 'one optimizer step' },
  { name: 'checkpoints', id: 'checkpoints', label: 'inner products over checkpoints' },
  { name: 'path_integral', id: 'pathIntegral', label: 'path integral' },
  { name: 'own_definition', id: 'ownDefinition', label: 'whether it defines the variable (no gradient)' },
  { name: 'same_tag', id: 'sameTag', label: 'whether it has the same tag (no gradient)' },
  { name: 'another_order', id: 'anotherOrder', label: 'another retraining, other order (no prediction)' },
];

/** Which of them predict something cheaply from gradients. */
const isGradient = ({ name }: (typeof shownPredictors)[number]): boolean =>
  !['own_definition', 'same_tag', 'another_order'].includes(name);

/** What is predicted: ids begin with `id`. */
interface Predicted {
  readonly id: string;
  readonly change: RetrainChange;
  readonly scope: RetrainScope;
  readonly label: string;
  readonly short: string;
}

const changesPredicted: readonly Predicted[] = [
  {
    id: 'own',
    change: 'drop',
    scope: 'own',
    label: 'effects of definitions on their own variables',
    short: 'own',
  },
  {
    id: 'other',
    change: 'drop',
    scope: 'other',
    label: 'effects of definitions on other variables',
    short: 'others',
  },
  {
    id: 'pooled',
    change: 'drop',
    scope: 'pooled',
    label: 'effects of definitions on all variables, pooled',
    short: 'pooled',
  },
  {
    id: 'swap',
    change: 'tag_swap',
    scope: 'own',
    label: 'effects of a swapped tag on its own variable',
    short: 'swap, own',
  },
];

const halvesPredicted: readonly Predicted[] = [
  {
    id: 'removed',
    change: 'half',
    scope: 'lds',
    label: 'loss after half of the definitions (others removed)',
    short: 'removed',
  },
  {
    id: 'weighted',
    change: 'half_weighted',
    scope: 'lds',
    label: 'loss after half of the definitions (others with weight 0)',
    short: 'weight 0',
  },
];

const keyOf = (predicted: Predicted, { id }: { readonly id: string }): string => `${predicted.id}.${id}`;

function scoreSection(
  id: string,
  title: string,
  predicted: readonly Predicted[],
  more: (run: RunData, scores: readonly StoredScore[]) => Promise<RunValues> = () => Promise.resolve({}),
  moreQuantities: readonly QuantitySpec[] = [],
): SectionSpec {
  const permuted = { id: 'permuted' };
  const quantities = predicted.flatMap((own) =>
    shownPredictors.map((predictor): QuantitySpec => ({
      id: keyOf(own, predictor),
      label: `rank correlation, ${predictor.label}: ${own.label}`,
      shortLabel: `${own.short}: ${predictor.label}`,
      unit: '1',
      null: {
        kind: 'measured',
        label: 'predictions of permuted definitions',
        key: keyOf(own, permuted),
      },
    })),
  );
  return {
    id,
    title,
    quantities: (_, measured) => [
      ...quantities.filter(({ id: own }) => measured.some((values) => isPresent(values[own]))),
      ...moreQuantities.filter(({ id: own }) => measured.some((values) => isPresent(values[own]))),
    ],
    notes: (found) => failures(id, predicted, found),
    measure: async (run) => {
      const scores = await readScores(run);
      if (scores === null) return null;
      const values: Record<string, RunValue> = {};
      for (const own of predicted) {
        for (const { name, id: predictor } of [
          ...shownPredictors,
          { name: 'permuted', id: 'permuted' } as const,
        ]) {
          const score = scores.find(
            (one) => one.predictor === name && one.change === own.change && one.scope === own.scope,
          );
          if (score !== undefined)
            values[keyOf(own, { id: predictor })] =
              score.score ?? `seed ${run.info.seed}: ${name} is constant, or what it predicts`;
        }
      }
      return { ...values, ...(await more(run, scores)) };
    },
  };
}

const isPresent = (value: RunValue | undefined): boolean => value !== undefined && typeof value !== 'string';

/**
 * Names the gradient predictors whose interval over seeds does not lie above 0, and those that predict less than the
 * knowledge, without any gradient, which definition is about which variable.
 */
function failures(
  section: string,
  predicted: readonly Predicted[],
  quantities: readonly Quantity[],
): string[] {
  const gradients = shownPredictors.filter(isGradient);
  return predicted.flatMap((own) => {
    const quantityOf = (id: string): Quantity | undefined =>
      quantities.find((quantity) => quantity.id === `${section}.${keyOf(own, { id })}`);
    const failed = gradients.filter(({ id }) => {
      const interval = intervalOf(quantityOf(id)?.estimate);
      return interval !== null && !(interval[0] > 0);
    });
    const baseline = quantityOf('ownDefinition');
    const weaker = gradients.filter(({ id }) => {
      const seeds = quantityOf(id)?.seeds ?? [];
      const differences = seeds.flatMap(({ value }, i) => {
        const other = baseline?.seeds[i]?.value ?? null;
        return value === null || other === null ? [] : [value - other];
      });
      const interval = differences.length < 2 ? null : intervalOf(meanOverSeeds(differences));
      return interval !== null && interval[1] < 0;
    });
    const names = (list: typeof gradients): string => list.map(({ label }) => label).join(', ');
    return [
      ...(failed.length === 0 ? [] : [`Does not predict ${own.label}: ${names(failed)}.`]),
      ...(weaker.length === 0
        ? []
        : [
            `Predicts ${own.label} less well than whether a definition is about the variable, without any gradient: ${names(weaker)}.`,
          ]),
    ];
  });
}

const intervalOf = (estimate: Estimate | undefined): Interval | null =>
  estimate?.kind === 'value' ? estimate.interval : null;

const ofChanges = scoreSection(
  'retrainingScores',
  'Predictions of single definitions against retraining without them (own: each with the questions about its variable, within subsets; others: for each ' +
    'variable over the definitions of others; pooled: all pairs): Spearman correlation of predicted and actual change of the loss',
  changesPredicted,
);

/** Ceilings of the linear datamodeling score by the reliability of retraining itself. */
const ofHalves = scoreSection(
  'datamodelingScore',
  'Linear datamodeling score: Spearman correlation over random halves of the definitions, per variable asked about, mean over variables; ' +
    'sum of the predictions against the loss after retraining on the half (mean over orders)',
  halvesPredicted,
  async (run, scores) => {
    const reliability = scores.find(
      ({ change, predictor }) => change === 'half' && predictor === 'another_order',
    )?.score;
    const table = await readTable(run, tables.retrained, ['change', 'order']);
    if (typeof reliability !== 'number' || table === null) return {};
    const { change, order } = table.columns;
    const orders = new Set(Array.from(order).filter((_, row) => change.text(row) === 'half')).size;
    const ceiling = Math.sqrt(Math.max(0, (orders * reliability) / (1 + (orders - 1) * reliability)));
    return { 'removed.ceiling': ceiling };
  },
  [
    {
      id: 'removed.ceiling',
      label:
        'highest expected rank correlation of a prediction with the loss after half of the definitions (others removed), by the agreement of two orders',
      shortLabel: 'ceiling (others removed): sqrt(k r / (1 + (k - 1) r)) of k orders',
      unit: '1',
      null: null,
    },
  ],
);

/** What definitions really do, and how well it is predicted. */
export const retrainStudy: Study = {
  sections: [retraining, ofChanges, ofHalves],
  claims: [
    {
      id: 'retrainingLoss',
      claim:
        'retraining: without its definition the questions about a new variable are answered worse than without that of another variable',
      quantity: 'retraining.loss',
      predicted: 'positive',
    },
    {
      id: 'retrainingTag',
      claim:
        'retraining: with the reliable tag in its definition, and nothing else changed, the questions about a new variable have a lower loss',
      quantity: 'retraining.tag',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'datamodelingInnerProduct',
      claim:
        'linear datamodeling score: inner products of gradients at the start of the stage predict retraining on random halves better than those of permuted definitions',
      quantity: 'datamodelingScore.weighted.innerProduct',
      predicted: 'positive',
    },
    {
      id: 'datamodelingPathIntegral',
      claim:
        'linear datamodeling score: the path integral of the stage predicts retraining on random halves better than that of permuted definitions',
      quantity: 'datamodelingScore.weighted.pathIntegral',
      predicted: 'positive',
    },
  ],
};
