import * as tf from '@tensorflow/tfjs-core';
import { totalTensor, withoutEmbeddings, type QuestionKind } from '../../store/tables/common.js';
import type { ForcePairing } from '../../store/tables/forces.js';
import { compile } from '../../train/engine/compiled.js';
import { trainingFieldNames, type Model } from '../../train/models/model.js';
import type { ParameterBlock } from '../../train/parameters/layout.js';
import { setGradientFunction } from '../../train/set-gradients.js';
import { type BlockVectors } from '../../train/parameters/block-vectors.js';
import { lexicalRoles } from '../panel/panel-gram.js';
import type { Panel } from '../panel/panel.js';
import { panelInputs } from '../transfer.js';

/** Definitions and question sets of some variables of a subset, in the same order. */
interface PairBlock {
  readonly subset: string;
  readonly questions: QuestionKind;
  /** Pairings of a definition with the questions of its own variable, and with those of the others. */
  readonly matched: ForcePairing;
  readonly mismatched: ForcePairing;
  /** Numbers of the definitions in the panel. */
  readonly definitions: readonly number[];
  /** Numbers of the question sets. */
  readonly sets: readonly number[];
}

/** Pairs of one pairing of a subset, in one tensor or a sum over tensors. */
export interface PairPlace {
  readonly subset: string;
  readonly questions: QuestionKind;
  readonly pairing: ForcePairing;
  readonly tensor: string;
  readonly pairs: number;
}

/** Means over pairs; cosines over those that have one, null where none has. */
export interface PairMeans {
  /** Inner product of the gradient of a definition with the mean gradient of questions. */
  readonly inner: number;
  readonly cosine: number | null;
}

/** Means, and their slopes along a direction. */
export interface PairSlopes extends PairMeans {
  readonly innerSlope: number;
  readonly cosineSlope: number | null;
}

/** Gradients of definitions and questions at some parameters, by {@link PairBlock}; the caller disposes of them. */
export interface PairGradients {
  readonly blocks: readonly { readonly definitions: BlockVectors; readonly questions: BlockVectors }[];
  dispose(): void;
}

/** Measures inner products of gradients of definitions with those of questions. */
export interface PairMeter {
  /** @param values blocks of parameters, `[1, size]` */
  gradients(values: BlockVectors, pairs: PanelPairs): PairGradients;
  /** In the order of {@link PanelPairs.places}. */
  means(at: PairGradients, pairs: PanelPairs): PairMeans[];
  /**
   * Means between two places of the parameters and their differences quotient, of gradients that are subtracted before they
   * are multiplied: `d'.q + d.q'`.
   *
   * @param distance between the two places
   */
  slopes(ahead: PairGradients, behind: PairGradients, distance: number, pairs: PanelPairs): PairSlopes[];
  dispose(): void;
}

/** The pairs of a panel whose forces are measured. */
export interface PanelPairs {
  readonly panel: Panel;
  readonly blocks: readonly PairBlock[];
  /** Rows of the results: blocks, their matched and mismatched pairs, tensors. */
  readonly places: readonly PairPlace[];
}

/**
 * Pairs of every subset with definitions as trained and with the tag swapped.
 *
 * @param most variables of a subset
 */
export function pairsOf(panel: Panel, model: Model, most: number): PanelPairs {
  const { entities, definitionKinds, questionSets } = panel;
  const kinds = [
    ['definition', 'matched', 'mismatched'],
    ['tag_swap', 'tag_swap', 'tag_swap_mismatched'],
  ] as const;
  const blocks: PairBlock[] = [];
  for (const subset of new Set(entities.map((own) => own.subset))) {
    for (const questions of new Set(questionSets.map(({ kind }) => kind))) {
      const own = questionSets
        .flatMap(({ entity, kind }, set) =>
          kind === questions && entities[entity]!.subset === subset ? [{ entity, set }] : [],
        )
        .slice(0, most);
      for (const [kind, matched, mismatched] of kinds) {
        const first = definitionKinds.indexOf(kind) * entities.length;
        if (first < 0 || own.length === 0) continue;
        blocks.push({
          subset,
          questions,
          matched,
          mismatched,
          definitions: own.map(({ entity }) => first + entity),
          sets: own.map(({ set }) => set),
        });
      }
    }
  }
  const tensors = [totalTensor, withoutEmbeddings, ...model.parameters.map(({ name }) => name)];
  const places = blocks.flatMap(({ subset, questions, matched, mismatched, sets }) =>
    [matched, mismatched].flatMap((pairing) =>
      tensors.map((tensor) => ({
        subset,
        questions,
        pairing,
        tensor,
        pairs: pairing === matched ? sets.length : sets.length * (sets.length - 1),
      })),
    ),
  );
  return { panel, blocks, places };
}

/** Products of n definitions with n question sets in one tensor or a sum of them. */
interface Products {
  /** `[definition, question set]` */
  readonly inner: Float64Array;
  /** Squared norms. */
  readonly definitions: Float64Array;
  readonly questions: Float64Array;
}

export function createPairMeter(model: Model, blocks: readonly ParameterBlock[]): PairMeter {
  const gradient = setGradientFunction(model, blocks);
  const names = trainingFieldNames(model);
  const isLexical = model.parameters.map(({ role }) => lexicalRoles.has(role));

  /** Parameters of blocks `[n, size]`, in the model's order. */
  const parametersOf = (vectors: readonly tf.Tensor[]): tf.Tensor2D[] => {
    const parts = new Map<string, tf.Tensor2D>();
    blocks.forEach((block, i) => {
      const vector = vectors[i]!;
      for (const { name, offset, size } of block.parameters) {
        parts.set(name, tf.slice(vector, [0, offset], [vector.shape[0], size]) as tf.Tensor2D);
      }
    });
    return model.parameters.map(({ name }) => parts.get(name)!);
  };

  /** `[tensor, n, n]` inner products and `[tensor, n]` squared norms of blocks of definitions, then of questions. */
  const products = compile('products of pairs', (tensors) => {
    const [d, q] = [
      parametersOf(tensors.slice(0, blocks.length)),
      parametersOf(tensors.slice(blocks.length)),
    ];
    return [
      tf.stack(d.map((own, i) => tf.matMul(own, q[i]!, false, true))),
      tf.stack(d.map((own) => tf.sum(tf.square(own), 1))),
      tf.stack(q.map((own) => tf.sum(tf.square(own), 1))),
    ];
  });

  /** The same of the means of two places, then the differences between them. */
  const changes = compile('changes of products of pairs', (tensors) => {
    const count = blocks.length;
    const [d1, d0, q1, q0] = [0, 1, 2, 3].map((part) =>
      parametersOf(tensors.slice(part * count, (part + 1) * count)),
    );
    const middle = (a: tf.Tensor2D[], b: tf.Tensor2D[]) => a.map((own, i) => tf.mul(tf.add(own, b[i]!), 0.5));
    const change = (a: tf.Tensor2D[], b: tf.Tensor2D[]) => a.map((own, i) => tf.sub(own, b[i]!));
    const [d, q, dd, dq] = [middle(d1!, d0!), middle(q1!, q0!), change(d1!, d0!), change(q1!, q0!)];
    const dots = (a: tf.Tensor[], b: tf.Tensor[]) =>
      tf.stack(a.map((own, i) => tf.sum(tf.mul(own, b[i]!), 1)));
    const pairs = (a: tf.Tensor[], b: tf.Tensor[]) =>
      tf.stack(a.map((own, i) => tf.matMul(own, b[i]!, false, true)));
    return [
      pairs(d, q),
      dots(d, d),
      dots(q, q),
      tf.add(pairs(dd, q), pairs(d, dq)),
      tf.mul(dots(d, dd), 2),
      tf.mul(dots(q, dq), 2),
    ];
  });

  /** `total`, `without_embeddings`, and every tensor, as the places have them. */
  const bySums = (inner: tf.Tensor, definitions: tf.Tensor, questions: tf.Tensor): Products[] => {
    const [tensors, n] = inner.shape as [number, number];
    const read = (tensor: tf.Tensor, size: number): Float64Array[] => {
      const all = tensor.dataSync<'float32'>();
      return Array.from({ length: tensors }, (_, i) =>
        Float64Array.from(all.subarray(i * size, (i + 1) * size)),
      );
    };
    const [pairs, left, right] = [read(inner, n * n), read(definitions, n), read(questions, n)];
    const own = pairs.map((values, i) => ({ inner: values, definitions: left[i]!, questions: right[i]! }));
    const sumOf = (chosen: readonly Products[]): Products => {
      const add = (size: number, pick: (products: Products) => Float64Array): Float64Array =>
        Float64Array.from({ length: size }, (_, i) =>
          chosen.reduce((sum, products) => sum + pick(products)[i]!, 0),
        );
      return {
        inner: add(n * n, (products) => products.inner),
        definitions: add(n, (products) => products.definitions),
        questions: add(n, (products) => products.questions),
      };
    };
    return [sumOf(own), sumOf(own.filter((_, i) => !isLexical[i]!)), ...own];
  };

  /** Matched pairs of every sum of tensors, then mismatched ones. */
  const eachPairing = <T>(sums: number, n: number, of: (sum: number, pairs: readonly Pair[]) => T): T[] => {
    const all = Array.from({ length: n * n }, (_, at): Pair => ({
      at,
      definition: Math.floor(at / n),
      set: at % n,
    }));
    const matched = all.filter(({ definition, set }) => definition === set);
    const mismatched = all.filter(({ definition, set }) => definition !== set);
    return [matched, mismatched].flatMap((pairs) => Array.from({ length: sums }, (_, sum) => of(sum, pairs)));
  };

  const gradients = (values: BlockVectors, { panel, blocks: own }: PanelPairs): PairGradients => {
    // Blocks of a subset share their definitions or their questions: those are differentiated once.
    const kept = new Map<string, BlockVectors>();
    const of = (kind: string, firsts: readonly number[], examples: number): BlockVectors => {
      const key = `${kind} ${firsts.join()}`;
      const known = kept.get(key);
      if (known !== undefined) return known;
      const inputs = panelInputs(panel, names, firsts, examples);
      const result = gradient(values, inputs);
      result.losses.dispose();
      tf.dispose(inputs);
      kept.set(key, result.blocks);
      return result.blocks;
    };
    const { questionsPerSet } = panel;
    return {
      blocks: own.map(({ definitions, sets }) => ({
        definitions: of('definitions', definitions, 1),
        questions: of(
          'questions',
          sets.map((set) => panel.definitions + set * questionsPerSet),
          questionsPerSet,
        ),
      })),
      dispose: () => tf.dispose([...kept.values()].flat()),
    };
  };

  const means = (at: PairGradients, { blocks: own }: PanelPairs): PairMeans[] =>
    own.flatMap(({ sets }, i) => {
      const { definitions, questions } = at.blocks[i]!;
      const outputs = products([...definitions, ...questions]);
      const sums = bySums(outputs[0]!, outputs[1]!, outputs[2]!);
      tf.dispose(outputs);
      return eachPairing(sums.length, sets.length, (sum, pairs) => meansOf(sums[sum]!, pairs));
    });

  const slopes: PairMeter['slopes'] = (ahead, behind, distance, { blocks: own }) =>
    own.flatMap(({ sets }, i) => {
      const [a, b] = [ahead.blocks[i]!, behind.blocks[i]!];
      const outputs = changes([...a.definitions, ...b.definitions, ...a.questions, ...b.questions]);
      const middle = bySums(outputs[0]!, outputs[1]!, outputs[2]!);
      const change = bySums(outputs[3]!, outputs[4]!, outputs[5]!);
      tf.dispose(outputs);
      return eachPairing(middle.length, sets.length, (sum, pairs) =>
        slopesOf(middle[sum]!, change[sum]!, distance, pairs),
      );
    });

  return {
    gradients,
    means,
    slopes,
    dispose: () => {
      for (const own of [gradient, products, changes]) own.dispose();
    },
  };
}

/** A definition and a question set of a block. */
interface Pair {
  /** Place in `[definition, question set]`. */
  readonly at: number;
  readonly definition: number;
  readonly set: number;
}

function meansOf(products: Products, pairs: readonly Pair[]): PairMeans {
  const inner = mean(pairs.map(({ at }) => products.inner[at]!)) ?? NaN;
  return { inner, cosine: mean(pairs.flatMap((pair) => cosineOf(products, pair) ?? [])) };
}

/** `c' = d'q / (|d||q|) - (c/2) ((d.d)'/(d.d) + (q.q)'/(q.q))`, with the mean products of the two places. */
function slopesOf(middle: Products, change: Products, distance: number, pairs: readonly Pair[]): PairSlopes {
  const cosineSlopes = pairs.flatMap((pair) => {
    const cosine = cosineOf(middle, pair);
    if (cosine === null) return [];
    const { at, definition, set } = pair;
    const [d2, q2] = [middle.definitions[definition]!, middle.questions[set]!];
    const ofNorms = change.definitions[definition]! / d2 + change.questions[set]! / q2;
    return [(change.inner[at]! / Math.sqrt(d2 * q2) - (cosine / 2) * ofNorms) / distance];
  });
  return {
    ...meansOf(middle, pairs),
    innerSlope: (mean(pairs.map(({ at }) => change.inner[at]!)) ?? NaN) / distance,
    cosineSlope: mean(cosineSlopes),
  };
}

function cosineOf({ inner, definitions, questions }: Products, pair: Pair): number | null {
  const norms = Math.sqrt(definitions[pair.definition]! * questions[pair.set]!);
  return norms === 0 ? null : inner[pair.at]! / norms;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
