import * as tf from '@tensorflow/tfjs-core';
import { allocateFields } from '../../data/fields.js';
import type { UpdateKind } from '../store/tables/transfer.js';
import { forward } from '../train/backward.js';
import { batchTensors } from '../train/batch.js';
import { compile } from '../train/engine/compiled.js';
import { gatherRows } from '../train/engine/ops/gather-rows.js';
import { joinLanes, planLanes, splitLanes } from '../train/lanes.js';
import { setGradientFunction } from '../train/set-gradients.js';
import { parameterCount, trainingFieldNames, type Model, type ModelInputs } from '../train/models/model.js';
import { unpack, type ParameterBlock } from '../train/parameters/layout.js';
import { tables } from '../store/tables/registry.js';
import type { TableWriter } from '../store/table-writer.js';
import { blockProducts, blockwise, type BlockVectors } from '../train/parameters/block-vectors.js';
import type { Panel } from './panel/panel.js';
import { ToolCache, type Moment, type ProbedRun, type ProbeSpec } from './probe.js';

/** Updates taken at once at most, as replicas. */
const mostTogether = 128;

/** Numbers of their parameters at most: 128 MB of float32, a few times. */
const mostNumbers = 1 << 25;

/** An update with a definition's gradient: `theta - stepSize P grad C_d`. */
export interface TransferUpdate {
  readonly kind: UpdateKind;
  readonly stepSize: number;
  /** Diagonal P, blocks `[1, size]`; null: the identity. */
  readonly preconditioner: BlockVectors | null;
  /** 1 where P is not known, blocks `[1, size]`: definitions with a gradient there have no such update. */
  readonly unseen: BlockVectors | null;
}

/** What one update with a definition's gradient does to the questions of its entity; losses and changes in nats. */
export interface TransferEffect {
  /** Number of the definition in the panel. */
  readonly definition: number;
  /** Number of the question set in the panel. */
  readonly set: number;
  readonly update: UpdateKind;
  readonly stepSize: number;
  /** Mean loss of the questions before the update. */
  readonly loss: number;
  /** Its change. */
  readonly actual: number;
  /** First-order change, `-stepSize g_q . P g_d`. */
  readonly predicted: number;
  /** Second-order part, `(L(theta + d) + L(theta - d)) / 2 - L(theta)` of the update d; up to the fourth order. */
  readonly curvature: number;
  /** Norm of the change of the parameters. */
  readonly normUpdate: number;
  /** Norm of the mean gradient of the questions. */
  readonly normQuestions: number;
  /** Cosine of `P g_d` and the mean gradient of the questions; null where one of them is zero. */
  readonly cosine: number | null;
  /** `g_q P g_d / sqrt(g_q P g_q  g_d P g_d)`; null without P or where one of them is zero. */
  readonly preconditionedCosine: number | null;
}

/** A definition and a question set of a panel. */
export interface TransferPair {
  readonly definition: number;
  readonly set: number;
}

/** Measures transfer at a checkpoint. */
export interface TransferMeter {
  /**
   * Takes, for each pair of a definition and a question set, single steps with the definition's gradient from the same
   * checkpoint and measures the mean loss of the questions before and after. Updates that are not known for a definition are
   * left out.
   *
   * @param values blocks of parameters, `[1, size]`
   */
  (
    values: BlockVectors,
    panel: Panel,
    pairs: readonly TransferPair[],
    updates: readonly TransferUpdate[],
  ): TransferEffect[];
  dispose(): void;
}

export function createTransferMeter(model: Model, blocks: readonly ParameterBlock[]): TransferMeter {
  const gradient = setGradientFunction(model, blocks);
  const names = trainingFieldNames(model);
  const most = Math.max(1, Math.min(mostTogether, Math.floor(mostNumbers / parameterCount(model))));

  /** `[replica, example]` losses of questions `[replica, example, ...]` at `values + scale directions[replica]`. */
  const losses = compile('losses after steps', (tensors) => {
    const [values, scale, given] = [
      tensors.slice(0, blocks.length),
      tensors[2 * blocks.length]!,
      [...tensors.slice(blocks.length, 2 * blocks.length), ...tensors.slice(2 * blocks.length + 1)],
    ];
    const start = unpack(blocks, values);
    const lanes = planLanes(given[0]!.shape[0]);
    const split = given.map((tensor) => splitLanes(tensor, lanes));
    const results = lanes.map((_, lane) => {
      const own = split.map((parts) => parts[lane]!);
      const moved = new Map<string, tf.Tensor>();
      unpack(blocks, own).forEach((direction, name) => {
        moved.set(name, tf.add(start.get(name)!, tf.mul(direction, scale)));
      });
      const inputs = Object.fromEntries(names.map((name, i) => [name, own[blocks.length + i]!]));
      return forward(model, moved, inputs).losses;
    });
    return [joinLanes(results)];
  });
  const lossesAt = (
    values: BlockVectors,
    scale: number,
    directions: BlockVectors,
    inputs: ModelInputs,
  ): number[] => {
    const factor = tf.scalar(scale);
    const [result] = losses([...values, ...directions, factor, ...names.map((name) => inputs[name]!)]);
    const means = meanLosses(result as tf.Tensor2D);
    tf.dispose([result!, factor]);
    return means;
  };

  /** Effects of every update on some pairs, `[update][pair]`; null where an update is not known for a definition. */
  const measureRound = (
    values: BlockVectors,
    panel: Panel,
    pairs: readonly TransferPair[],
    updates: readonly TransferUpdate[],
  ): (TransferEffect | null)[][] => {
    // Definitions of one variable are asked the same questions: those are differentiated once.
    const sets = [...new Set(pairs.map(({ set }) => set))];
    const placeOf = new Map(sets.map((set, place) => [set, place]));
    // Filled up to a number of sets that does not depend on the round, which would be another graph.
    const shown = Array.from({ length: pairs.length }, (_, i) => sets[i] ?? sets[0]!);
    const definitions = definitionInputs(panel, names, pairs);
    const distinct = questionInputs(panel, names, sets);
    const questions = questionInputs(
      panel,
      names,
      pairs.map(({ set }) => set),
    );
    const defined = gradient(values, definitions);
    const asked = gradient(values, distinct);
    const places = tf.tensor1d(
      pairs.map(({ set }) => placeOf.get(set)!),
      'int32',
    );
    const answered = asked.blocks.map((block) => tf.tidy(() => gatherRows(block, places)));
    const startQuestions = questionInputs(panel, names, shown);
    const startLosses = lossesAt(values, 0, defined.blocks, startQuestions);
    const before = pairs.map(({ set }) => startLosses[placeOf.get(set)!]!);
    const questionNorm2 = blockProducts(answered, answered);
    const plain: Geometry = {
      direction: defined.blocks,
      inner: blockProducts(defined.blocks, answered),
      norm2: blockProducts(defined.blocks, defined.blocks),
      preconditionedCosine: null,
    };
    const effects = updates.map(({ kind, stepSize, preconditioner, unseen }) => {
      const geometry = preconditioner === null ? plain : geometryOf(preconditioner, defined.blocks, answered);
      const { direction, inner, norm2, preconditionedCosine } = geometry;
      const along = (sign: 1 | -1): number[] =>
        lossesAt(values, sign * stepSize, direction, questions).map((loss, i) => loss - before[i]!);
      const [ahead, behind] = [along(-1), along(1)];
      const hidden2 = unseen === null ? null : maskedNorms2(defined.blocks, unseen);
      if (geometry !== plain) tf.dispose([...direction]);
      return pairs.map((pair, i): TransferEffect | null => {
        if (hidden2 !== null && hidden2[i]! > smallestHidden * plain.norm2[i]!) return null;
        const norms = Math.sqrt(norm2[i]! * questionNorm2[i]!);
        return {
          ...pair,
          update: kind,
          stepSize,
          loss: before[i]!,
          actual: ahead[i]!,
          predicted: -stepSize * inner[i]!,
          curvature: (ahead[i]! + behind[i]!) / 2,
          normUpdate: stepSize * Math.sqrt(norm2[i]!),
          normQuestions: Math.sqrt(questionNorm2[i]!),
          cosine: norms === 0 ? null : inner[i]! / norms,
          preconditionedCosine: preconditionedCosine?.[i] ?? null,
        };
      });
    });
    defined.dispose();
    asked.dispose();
    tf.dispose([definitions, distinct, questions, startQuestions, places, answered]);
    return effects;
  };

  const measure = (...[values, panel, pairs, updates]: Parameters<TransferMeter>): TransferEffect[] => {
    if (pairs.length === 0) return [];
    const rounds = Math.ceil(pairs.length / most);
    const together = Math.ceil(pairs.length / rounds);
    const effects: TransferEffect[][] = updates.map(() => []);
    for (let first = 0; first < pairs.length; first += together) {
      // A short round is filled up with its first pair: another number of replicas would be another graph.
      const own = Array.from({ length: together }, (_, i) => pairs[first + i] ?? pairs[first]!);
      measureRound(values, panel, own, updates).forEach((found, update) => {
        effects[update]!.push(...found.slice(0, pairs.length - first).filter((effect) => effect !== null));
      });
    }
    return effects.flat();
  };
  return Object.assign(measure, {
    dispose: () => {
      gradient.dispose();
      losses.dispose();
    },
  });
}

/** Share of a squared norm below which coordinates without second moments do not matter: rounding of float32. */
const smallestHidden = 1e-10;

/** `[replica]` squared norms of the coordinates that a mask marks. */
function maskedNorms2(vectors: BlockVectors, mask: BlockVectors): Float64Array {
  const masked = blockwise(tf.mul, vectors, mask);
  const norms2 = blockProducts(masked, masked);
  tf.dispose(masked);
  return norms2;
}

/** Directions of updates and their products with the gradients of definitions and questions, by replica. */
interface Geometry {
  /** `P g_d`, `[replica, size]`. */
  readonly direction: BlockVectors;
  /** `g_q P g_d` */
  readonly inner: Float64Array;
  /** `|P g_d|^2` */
  readonly norm2: Float64Array;
  /** See {@link TransferEffect.preconditionedCosine}; null for the identity. */
  readonly preconditionedCosine: readonly (number | null)[] | null;
}

/** Of a P that is not the identity; the caller disposes of the direction. */
function geometryOf(preconditioner: BlockVectors, defined: BlockVectors, asked: BlockVectors): Geometry {
  const direction = blockwise(tf.mul, defined, preconditioner);
  const inner = blockProducts(direction, asked);
  const definition2 = blockProducts(defined, direction);
  const scaled = blockwise(tf.mul, asked, preconditioner);
  const question2 = blockProducts(asked, scaled);
  tf.dispose(scaled);
  return {
    direction,
    inner,
    norm2: blockProducts(direction, direction),
    preconditionedCosine: Array.from(inner, (product, i) => {
      const norms = Math.sqrt(definition2[i]! * question2[i]!);
      return norms === 0 ? null : product / norms;
    }),
  };
}

/** `[replica]` means over examples of losses `[replica, example]`. */
export function meanLosses(losses: tf.Tensor2D): number[] {
  const [replicas, examples] = losses.shape;
  const all = losses.dataSync<'float32'>();
  return Array.from({ length: replicas }, (_, replica) => {
    let sum = 0;
    for (let i = 0; i < examples; i++) sum += all[replica * examples + i]!;
    return sum / examples;
  });
}

/** The questions of sets of a panel, a set per replica: `[set, question, ...]`. */
export function questionInputs(panel: Panel, names: readonly string[], sets: readonly number[]): ModelInputs {
  return panelInputs(
    panel,
    names,
    sets.map((set) => panel.definitions + set * panel.questionsPerSet),
    panel.questionsPerSet,
  );
}

function definitionInputs(
  panel: Panel,
  names: readonly string[],
  pairs: readonly TransferPair[],
): ModelInputs {
  return panelInputs(
    panel,
    names,
    pairs.map(({ definition }) => definition),
    1,
  );
}

/** Runs of `examples` examples of a panel as inputs of replicas, `[run, example, ...]`. */
export function panelInputs(
  panel: Panel,
  names: readonly string[],
  firsts: readonly number[],
  examples: number,
): ModelInputs {
  const buffers = allocateFields(panel.fields, firsts.length * examples);
  firsts.forEach((first, replica) => panel.fill(first, first + examples, buffers, replica * examples));
  return batchTensors({ replicas: firsts.length, examples, fields: panel.fields, buffers }, names);
}

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
