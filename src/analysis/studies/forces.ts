import type { Design } from '../../../data/design.js';
import { designOf } from '../../../data/internalization-design.js';
import { samplingCaveat, whyNoVariancePenalty } from '../../../data/samplers.js';
import { forceNames, type ForceName } from '../../store/tables/forces.js';
import type { RunValue } from '../quantity.js';
import { noCounterfactuals } from '../counterfactuals.js';
import type { RunData } from '../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../section.js';
import { stageSampling } from '../stage-sampling.js';
import { questionStage } from '../../../data/stage-roles.js';
import type { Study } from '../study.js';
import { mismatchedTerms, pairSetsOf, type PairSet, type PairTerm } from './forces/pair-sets.js';
import {
  ledgerSum,
  readForces,
  readLedger,
  sumOfTerms,
  type MeasuredForces,
  type LedgerPart,
} from './forces/rows.js';

const unitOf = { inner: 'nats^2/parameter^2', cosine: '1' } as const;

/** What a force is of, for people. */
const forceWords: Readonly<Record<ForceName, string>> = {
  task: 'task force (loss)',
  norm: 'norm force (penalty on the squared norm of the mean gradient)',
  alignment: 'alignment force (penalty on the variance of gradients)',
};

const shortForce: Readonly<Record<ForceName, string>> = {
  task: 'task force',
  norm: 'norm force',
  alignment: 'alignment force',
};

const measures = {
  inner: 'inner product',
  cosine: 'cosine',
} as const;

type MeasureName = keyof typeof measures;

/** Forces on inner products, or cosines, of pair sets, added up over an epoch. */
function forcesSection(id: string, measure: MeasureName): SectionSpec {
  const quantity = ({ id: set, label }: PairSet, force: ForceName): QuantitySpec => ({
    id: `${set}.${force}`,
    label: `${label}: change of the mean ${measures[measure]} of definitions and questions in an epoch by the ${forceWords[force]}`,
    shortLabel: `${label}, ${shortForce[force]}`,
    unit: unitOf[measure],
    null: {
      kind: 'measured',
      label: 'the same with the questions of other variables of the subset',
      key: `${set}.${force}.null`,
    },
    controls: [{ id: 'untrained', label: 'the untrained network', key: `${set}.${force}.untrained` }],
  });
  return {
    id,
    title:
      `Forces on the mean ${measures[measure]} of definitions with the questions about their variables: its change in an epoch of the mean ` +
      'dynamics of plain SGD with the learning rates of the stage, to first order, by the loss and by both parts of the implicit penalty; ' +
      'trained questions, of new variables held-out ones; mean over checkpoints within the stage with questions',
    probe: 'forces',
    quantities: {
      ofDesign: (design) => [
        ...pairSetsOf(design).flatMap((set) => forceNames.map((force) => quantity(set, force))),
        {
          id: 'size',
          label: `alignment force / task force on the mean ${measures[measure]}, sizes added up over pairs and checkpoints`,
          shortLabel: 'alignment force / task force, sizes',
          unit: '1',
          null: null,
        },
      ],
    },
    notes: (_, run) => notesOf(run),
    measure: async (run) => {
      const forces = await readForces(run);
      return forces === null ? null : valuesOf(run, forces, measure);
    },
  };
}

function valuesOf(run: RunData, forces: MeasuredForces, measure: MeasureName): RunValues {
  const { firstStep, stepsPerEpoch } = questionStage(run.info);
  const missing = whyNoAlignment(run);
  const within = forces.steps.filter((step) => step > firstStep);
  const meanOf = (steps: readonly number[], force: ForceName, terms: readonly PairTerm[]): RunValue => {
    if (steps.length === 0)
      return `seed ${run.info.seed}: no checkpoint there (checkpoint.perStage of the config keeps more)`;
    if (lacksSwaps(forces, terms)) return noCounterfactuals('tag_swap');
    if (!forces.forces.has(force))
      return missing ?? `seed ${run.info.seed}: the ${shortForce[force]} was not measured`;
    let sum = 0;
    for (const step of steps) {
      const own = sumOfTerms(forces[measure], step, force, terms);
      if (own === null) return `seed ${run.info.seed}: no such pairs at step ${step}`;
      sum += own;
    }
    return (stepsPerEpoch * sum) / steps.length;
  };
  const values: Record<string, RunValue> = {};
  const sizes = { task: 0, alignment: 0 };
  for (const { id, terms } of pairSetsOf(designOf(run.info))) {
    for (const force of forceNames) {
      values[`${id}.${force}`] = meanOf(within, force, terms);
      values[`${id}.${force}.null`] = meanOf(within, force, mismatchedTerms(terms));
      values[`${id}.${force}.untrained`] = meanOf(
        forces.steps.filter((step) => step === 0),
        force,
        terms,
      );
    }
    for (const step of within)
      for (const force of ['task', 'alignment'] as const)
        sizes[force] += Math.abs(sumOfTerms(forces[measure], step, force, terms) ?? 0);
  }
  values['size'] = forces.forces.has('alignment')
    ? { numerator: sizes.alignment, denominator: sizes.task }
    : (missing ?? `seed ${run.info.seed}: the alignment force was not measured`);
  return values;
}

/** Whether pairs need definitions with the other tag, and the run has none. */
function lacksSwaps({ pairings }: MeasuredForces, terms: readonly PairTerm[]): boolean {
  return !pairings.has('tag_swap') && terms.some(({ pairing }) => pairing.startsWith('tag_swap'));
}

/** Why a run has no alignment force, or null where it has one. */
function whyNoAlignment({ info }: RunData): string | null {
  const sampling = stageSampling(questionStage(info));
  const reason = whyNoVariancePenalty(sampling);
  if (reason !== null) return reason;
  return sampling.batchSize === sampling.population
    ? 'the full batch: the implicit penalty has no variance part'
    : null;
}

function notesOf(run: RunData): string[] {
  const stage = questionStage(run.info);
  const caveat = samplingCaveat(stageSampling(stage));
  return [
    ...(stage.optimizer === 'sgd'
      ? []
      : [
          `The stage was trained with ${stage.optimizer}, whose implicit penalty is another one. These are the forces that plain SGD with ` +
            'its learning rates would have at these checkpoints; what its own updates did is in the section forceLedger.',
        ]),
    ...(caveat === null ? [] : [caveat]),
  ];
}

const noChange = { kind: 'zero', label: '0, no change' } as const;

/** Quantities of a pair set in the ledger, over the epoch after a checkpoint. */
function ledgerQuantities({ id, label }: PairSet): QuantitySpec[] {
  const of = (part: string, words: string): QuantitySpec => ({
    id: `${id}.${part}`,
    label: `${label}: ${words}`,
    unit: unitOf.inner,
    null: noChange,
  });
  return [
    of('observed', 'change of the mean inner product in the epoch after a checkpoint'),
    of('predicted', 'the same by the three forces, to first order'),
    of('along', "the same along the run's own change of the parameters, to first order"),
  ];
}

/** Sums of sizes over pair sets and checkpoints that become a ratio. */
interface Sizes {
  part: number;
  change: number;
}

/** What the updates of the run itself did to the inner products, against what was predicted. */
const forceLedger: SectionSpec = {
  id: 'forceLedger',
  title:
    'Ledger of the forces: change of the mean inner product of definitions with the questions about their variables by updates of the run ' +
    'taken again, against the forces and against its expansion along these updates; mean over checkpoints within the stage with questions',
  probe: 'forces',
  quantities: {
    ofDesign: (design: Design) => [
      ...pairSetsOf(design).flatMap(ledgerQuantities),
      {
        id: 'unexplained',
        label:
          'change in an epoch that the forces do not predict / change, sizes added up over pairs and checkpoints',
        shortLabel: 'not predicted by the forces / change',
        unit: '1',
        null: null,
      },
      {
        id: 'second.update',
        label:
          'second-order part of the change by one update / change, sizes added up over pairs and checkpoints',
        shortLabel: 'one update: second-order part / change',
        unit: '1',
        null: null,
      },
      {
        id: 'closure',
        label:
          'change by one update less its parts of first and second order / change, sizes added up over pairs and checkpoints',
        shortLabel: 'one update: rest / change',
        unit: '1',
        null: null,
      },
    ],
  },
  measure: async (run) => {
    const [ledger, forces] = [await readLedger(run), await readForces(run)];
    if (ledger === null || forces === null) return null;
    const { firstStep, stepsPerEpoch } = questionStage(run.info);
    const sets = pairSetsOf(designOf(run.info));
    const within = ledger.moments.filter(({ step }) => step > firstStep);
    const epochs = within.filter(({ updates }) => updates === stepsPerEpoch);
    const meanOf = (
      terms: readonly PairTerm[],
      of: (moment: (typeof epochs)[number]) => number | null,
    ): RunValue => {
      if (lacksSwaps(forces, terms)) return noCounterfactuals('tag_swap');
      const all = epochs.flatMap((moment) => of(moment) ?? []);
      return all.length === 0
        ? `seed ${run.info.seed}: no checkpoint within the stage with an epoch after it`
        : all.reduce((sum, value) => sum + value, 0) / all.length;
    };
    const predicted = (step: number, terms: readonly PairTerm[]): number | null => {
      let sum = 0;
      for (const force of forces.forces) {
        const own = sumOfTerms(forces.inner, step, force, terms);
        if (own === null) return null;
        sum += own;
      }
      return stepsPerEpoch * sum;
    };
    const values: Record<string, RunValue> = {};
    for (const { id, terms } of sets) {
      values[`${id}.observed`] = meanOf(terms, (moment) => ledgerSum(ledger, moment, 'change', terms));
      values[`${id}.predicted`] = meanOf(terms, ({ step }) => predicted(step, terms));
      values[`${id}.along`] = meanOf(terms, (moment) => ledgerSum(ledger, moment, 'first', terms));
    }
    const shareOf = (
      moments: typeof within,
      part: (of: (name: LedgerPart) => number, step: number, terms: readonly PairTerm[]) => number,
    ): RunValue => {
      const sizes: Sizes = { part: 0, change: 0 };
      for (const moment of moments) {
        for (const { terms } of sets) {
          const of = (name: LedgerPart): number => ledgerSum(ledger, moment, name, terms) ?? 0;
          sizes.part += Math.abs(part(of, moment.step, terms));
          sizes.change += Math.abs(of('change'));
        }
      }
      return sizes.change === 0
        ? `seed ${run.info.seed}: the inner products did not change`
        : sizes.part / sizes.change;
    };
    const single = ledger.moments.filter(({ updates }) => updates === 1);
    values['unexplained'] = shareOf(
      epochs,
      (of, step, terms) => of('change') - (predicted(step, terms) ?? 0),
    );
    values['second.update'] = shareOf(single, (of) => of('second'));
    values['closure'] = shareOf(single, (of) => of('change') - of('first') - of('second'));
    return values;
  },
};

/** Forces of the loss and of the implicit penalty on the alignment of definitions with questions. */
export const forcesStudy: Study = {
  sections: [forcesSection('forces', 'inner'), forcesSection('cosineForces', 'cosine'), forceLedger],
  claims: [
    {
      id: 'alignmentForceDifference',
      claim:
        'forces: the penalty on the variance of gradients raises the inner product of definitions with the questions about their variables ' +
        'more where the definitions are right than where they are wrong',
      quantity: 'forces.difference.alignment',
      predicted: 'positive',
    },
    {
      id: 'alignmentForceGap',
      claim:
        'forces: the penalty on the variance of gradients raises the inner product of a definition with the questions about its new variable ' +
        'more with the reliable tag',
      quantity: 'forces.tagSwapGap.alignment',
      predicted: 'positive',
      aboutTags: true,
    },
    {
      id: 'alignmentForceSize',
      claim:
        'forces: on these inner products the penalty on the variance of gradients has more than a tenth of the force of the loss',
      quantity: 'forces.size',
      predicted: 'positive',
      threshold: 0.1,
    },
  ],
};
