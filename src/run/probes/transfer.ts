import type { Panel } from '../../probe/panel/panel.js';
import {
  createTransferMeter,
  type TransferEffect,
  type TransferPair,
  type TransferUpdate,
} from '../../probe/transfer.js';
import { tables } from '../../store/tables/registry.js';
import type { TableWriter } from '../../store/table-writer.js';
import { ToolCache, type Moment, type ProbedRun, type ProbeSpec } from './probe.js';

/** What single updates with definitions do to the questions about their variables. */
export const transferProbe: ProbeSpec = {
  name: 'transfer',
  tables: [tables.transfer],
  create: () => {
    const meters = new ToolCache(createTransferMeter);
    return {
      begin: (run, open) => {
        const writer = open(tables.transfer);
        const pairs = heldOutPairs(run.panel);
        const others = otherPairs(run.panel);
        return (moment) => {
          const measure = meters.of(run, moment.blocks);
          const updates = updatesAt(moment, run);
          write(writer, moment, run.panel, measure(moment.values, run.panel, pairs, updates));
          const small = smallestStep(updates);
          if (others.length > 0 && small !== null)
            write(writer, moment, run.panel, measure(moment.values, run.panel, others, [small]));
        };
      },
      dispose: () => meters.dispose(),
    };
  },
};

/** Plain steps of the sizes asked for, and the share of one example in the coming update of the stage's optimizer. */
function updatesAt({ preconditioner, unseen, coming }: Moment, { options }: ProbedRun): TransferUpdate[] {
  const plain = options.stepSizes.map((stepSize): TransferUpdate => ({
    kind: 'sgd',
    stepSize,
    preconditioner: null,
    unseen: null,
  }));
  if (preconditioner === null || coming === null) return plain;
  const stepSize = (coming.rateFactor * coming.clipFactor) / coming.batchSize;
  return [...plain, { kind: 'optimizer', stepSize, preconditioner, unseen }];
}

/** Every definition of the panel with the held-out questions of its entity. */
function heldOutPairs({ entities, definitionKinds, questionSets }: Panel): TransferPair[] {
  return questionSets.flatMap(({ entity, kind }, set) =>
    kind === 'heldout'
      ? definitionKinds.map((_, k) => ({ definition: k * entities.length + entity, set }))
      : [],
  );
}

/**
 * Definitions, as trained and with the tag swapped, with the held-out questions of another variable of the subset, the
 * next one: what a step on a definition does to any questions.
 */
function otherPairs({ entities, definitionKinds, questionSets }: Panel): TransferPair[] {
  const heldOut = questionSets.flatMap(({ entity, kind }, set) =>
    kind === 'heldout' ? [{ entity, set }] : [],
  );
  return heldOut.flatMap(({ entity, set }) => {
    const { subset } = entities[entity]!;
    const own = heldOut.filter((other) => entities[other.entity]!.subset === subset);
    if (own.length < 2) return [];
    const defined = own[(own.findIndex((other) => other.set === set) + 1) % own.length]!.entity;
    return definitionKinds.flatMap((kind, k) =>
      kind === 'definition' || kind === 'tag_swap'
        ? [{ definition: k * entities.length + defined, set }]
        : [],
    );
  });
}

function smallestStep(updates: readonly TransferUpdate[]): TransferUpdate | null {
  const plain = updates.filter(({ kind }) => kind === 'sgd');
  return plain.toSorted((a, b) => a.stepSize - b.stepSize)[0] ?? null;
}

function write(
  writer: TableWriter<typeof tables.transfer>,
  { stage, step }: Moment,
  panel: Panel,
  effects: readonly TransferEffect[],
): void {
  for (const effect of effects) {
    const asked = panel.entities[panel.questionSets[effect.set]!.entity]!;
    const entity = panel.entities[effect.definition % panel.entities.length]!;
    const kind = panel.definitionKinds[Math.floor(effect.definition / panel.entities.length)]!;
    writer.append({
      stage,
      step,
      subset: entity.subset,
      variable: entity.variable,
      asked: asked.variable,
      definition: kind,
      update: effect.update,
      step_size: effect.stepSize,
      predicted: effect.predicted,
      curvature: effect.curvature,
      actual: effect.actual,
      loss: effect.loss,
      norm_update: effect.normUpdate,
      norm_questions: effect.normQuestions,
      cosine: effect.cosine,
      preconditioned_cosine: effect.preconditionedCosine,
    });
  }
  writer.flush();
}
