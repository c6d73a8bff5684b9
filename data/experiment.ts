import type { z } from 'zod';
import type { Design, GroupName } from './design.js';
import type { LossConfig } from './loss.js';
import type { ExamplePiece } from './pieces.js';
import type { RandomStream } from './random/streams.js';
import type { Replay } from './replay.js';
import type { TrainSubset } from './train-subsets.js';

/**
 * The contract between an experiment's data and everything that trains on it, whatever the modality. An example is
 * a set of named arrays ("fields"), the same shapes for every example of an experiment: a text has
 * `tokens [time]`, an image question has `image [height, width, channel]`. What the loss needs is always there:
 * `labels [query]` and `weights [query]`, one query for every position at which the model must answer.
 */

/** Type and shape of one field of one example. */
export interface FieldSpec {
  readonly dtype: 'int32' | 'float32';
  readonly shape: readonly number[];
}

export type FieldSpecs = Readonly<Record<string, FieldSpec>>;

/** Storage of `count` examples: field name -> values, example after example. */
export type FieldBuffers = Readonly<Record<string, Int32Array | Float32Array>>;

/** A finite table of examples; a row number stands for the same example for ever. */
export interface ExampleSet {
  readonly size: number;
  readonly fields: FieldSpecs;
  /** `[size]` index of each row's group in {@link ExperimentData.groups}, or -1 for rows that are only tested. */
  readonly group: Int32Array;
  /** `[size]` identity of the variable a row is about, unique over all subsets of the run. */
  readonly variable: Int32Array;
  /** `[size]` number of each row in {@link ExperimentData.examples}, or -1 for rows that are only tested. */
  readonly id: Int32Array;
  /**
   * Relative probability of each row for the `mixture` sampler (an experiment that is a single pass over a stream
   * of fresh examples); absent where every row is met once an epoch.
   */
  readonly probability?: Float64Array;
  /** Rows that are met only now and then; absent where every row is met once an epoch. */
  readonly replay?: Replay;
  /** Examples that the `mixture` sampler draws for one epoch; absent where it draws as many as there are rows. */
  readonly epochSize?: number;
  /**
   * Writes rows as examples `first`, `first + 1`, ... of the buffers. `random` gives the stream for what differs
   * between two sights of one row (the digit images of a grid); sets without such noise do not call it.
   */
  fill(rows: ArrayLike<number>, first: number, buffers: FieldBuffers, random: () => RandomStream): void;
  /**
   * `[row, cell]` numbers of the source images that `fill` shows for the same rows and the same stream; absent where
   * a row always looks the same.
   */
  sourceImages?(rows: ArrayLike<number>, random: () => RandomStream): Int32Array;
  /** What a row says, piece by piece; absent where an experiment does not tell. Throws a RangeError for a row that is not there. */
  pieces?(row: number): readonly ExamplePiece[];
}

/** What one training example says, for whoever rebuilds the data of a run without this program. */
export interface ExampleDescription {
  readonly group: GroupName;
  readonly variable: number;
  /** Name of the variable. */
  readonly name: string;
  /** What the variable stands for, whatever its definition says. */
  readonly entity: string;
  /** Tag of a definition; null for a question. */
  readonly tag: number | null;
  /** The example in words, its answer included. */
  readonly text: string;
  /** The model's inputs and targets; empty where the experiment has no such field. */
  readonly tokens: ArrayLike<number>;
  readonly positions: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  /** `[cell]` digits of an image, and the squares, 1 white, of the tag in its strip; empty for texts. */
  readonly digits: ArrayLike<number>;
  readonly strip: ArrayLike<number>;
  /** Relative probability for the `mixture` sampler, or null. */
  readonly probability: number | null;
}

export type { TrainSubset };

/** Held-out questions (or training rows, for their loss) of one subset. */
export interface TestSet {
  /** `qd1consis`, or `train_defs_qd1consis`, `train_questions_qd1consis` for training rows. */
  readonly name: string;
  readonly subset: string;
  /**
   * Questions: for a text one query for every token of the answer, whatever the loss. Where every answer is one token, they
   * have a further field `contrast [query]`: the answer the margin compares the gold answer with.
   */
  readonly examples: ExampleSet;
  /**
   * The same rows, row for row, with the answer that the margin compares the gold answer with; of the weight 0 where there is
   * none. Given where answers are several tokens, instead of the field `contrast`; without either there is no margin.
   */
  readonly contrasts?: ExampleSet;
  /** Rows with other answers that count as right, and the row of `examples` that each belongs to; absent where there are none. */
  readonly alternatives?: { readonly examples: ExampleSet; readonly of: Int32Array };
  /** `[row]` the texts that count as right where the model writes its answer; absent where it cannot. */
  readonly rightAnswers?: readonly (readonly string[])[];
  /**
   * `[row]` 1 where the most frequent answer to its kind of question is right, else 0; absent where questions have no kinds
   * with frequent answers.
   */
  readonly majority?: Float32Array;
  /** The same rows, row for row, as training would see them: what the loss and the gradient panels are taken of. */
  readonly asTraining: ExampleSet;
}

/**
 * How a counterfactual definition differs from the one that is trained on, as the pairings of the alignment table are
 * called: `tag_swap` same variable and entity, the other tag; `entity_swap` same variable and tag, another entity;
 * `unseen_tag` same variable and entity, the tag that stage 1 never uses.
 */
export type CounterfactualKind = 'tag_swap' | 'entity_swap' | 'unseen_tag';

/** Definitions that nothing is trained on, for the controls of the gradient panels. */
export interface Counterfactuals {
  /** The kinds this run's data can express. */
  readonly kinds: readonly CounterfactualKind[];
  /**
   * Writes the changed definition of `variable` as example number `slot`, in the fields of the training sets.
   * Throws a RangeError for a variable without a definition, a UserError for a kind that is not in `kinds`.
   */
  fill(kind: CounterfactualKind, variable: number, slot: number, buffers: FieldBuffers): void;
  /** What {@link fill} writes, piece by piece; absent where an experiment does not tell. Throws as `fill`. */
  pieces?(kind: CounterfactualKind, variable: number): readonly ExamplePiece[];
}

/** All data of one seed of an experiment. */
export interface ExperimentData {
  /** Groups of training examples, in the order used by every log of the run. */
  readonly groups: readonly GroupName[];
  /** Training rows of a train subset. Throws a UserError for one this experiment does not have. */
  training(subset: TrainSubset): ExampleSet;
  /** Every training example of the run, whatever the stage; its number is its `id` in the training sets. */
  examples(): readonly ExampleDescription[];
  readonly tests: readonly TestSet[];
  /** Absent where an experiment has no counterfactual definitions. */
  readonly counterfactuals?: Counterfactuals;
  /** What a model must know about the data: sizes of vocabularies, images, answers. */
  readonly shape: DataShape;
  /** sha256 over every training and test row: equal hashes mean byte-identical data. */
  readonly hash: string;
  /** Words of token ids, with single spaces, for people; absent where examples are no texts. */
  readonly decode?: (tokens: Iterable<number>) => string;
  /** Numbers for people: variables and rows of each subset, in the order they should be printed. */
  readonly summary: readonly { readonly name: string; readonly value: number }[];
}

/** What a text model must know. */
export interface TextShape {
  readonly modality: 'text';
  /** Input tokens that are no variables. */
  readonly vocabularySize: number;
  /** Tags that have a table of their own and cannot be answered; 0 when left out. Token `vocabularySize + i` is tag i of them. */
  readonly tags?: number;
  /** Variables that have a table of their own; token `vocabularySize + tags + i` is variable `i`. */
  readonly variables: number;
  /** Tokens the model may answer with: the ids below this number. */
  readonly outputSize: number;
  /** Longest row, in tokens. */
  readonly blockSize: number;
  /** Queries of one training row. */
  readonly queries: number;
  /** Token that fills a row up to `blockSize`. */
  readonly padToken: number;
  /**
   * Tokens of the source text that an encoder reads, in a field `tokens` of its own, `blockSize` then being those of the
   * decoder; absent where the model continues one text.
   */
  readonly inputLength?: number;
}

/** What an image model must know. */
export interface ImageShape {
  readonly modality: 'image';
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Answers of one query, "no answer" included. */
  readonly outputSize: number;
  readonly queries: number;
  /** `[outputSize]` names of the answers, for people. */
  readonly answers: readonly string[];
  /** Queries side by side in the picture; the following ones are below them. */
  readonly queryColumns: number;
}

export type DataShape = TextShape | ImageShape;

/**
 * How large the data of a seed will be, by arithmetic alone. What is built has these sizes exactly (tests compare them);
 * they are the same for every seed.
 */
export interface DataSizes {
  readonly shape: DataShape;
  /**
   * Training rows of a train subset, and the examples of one epoch of the `mixture` sampler (null where the data have no
   * probabilities). Throws a UserError for a subset without rows.
   */
  training(subset: TrainSubset): { readonly rows: number; readonly mixtureEpoch: number | null };
  /** Rows of the largest test set. */
  readonly largestTest: number;
  /** Rows of all test sets. */
  readonly testRows: number;
  /** Held-out questions of a variable, at most: by them memory is estimated of what takes all at once. 0 where it is left out. */
  readonly heldOut?: number;
  /** Names of the groups of training examples, as {@link ExperimentData.groups}. */
  readonly groups: readonly GroupName[];
  /** Memory that the built data of one seed take, roughly, in bytes. */
  readonly bytes: number;
}

/** What may differ between the data of one config and seed. */
export interface BuildOptions {
  /**
   * Exchanges the tags of the two sets of new variables, and with them the names of their subsets: the same variables,
   * entities and questions, other tags in their definitions. Everything that stage 1 trains on stays byte for byte.
   */
  readonly exchangeTags?: boolean;
}

/** An experiment: the schema of its part of a config file, and the builder of its data. */
export interface Experiment<Config> {
  readonly name: string;
  /** Its subsets, tags and comparisons, for every config: a subset without variables is simply not there. */
  readonly design: Design;
  /** Schema of the `data` section of an experiment file. */
  readonly schema: z.ZodType<Config>;
  /** Whether a value of the `data` section is the path of a file, relative to the experiment file that gives it; none by default. */
  isFile?(key: string, value: string): boolean;
  /** Why {@link BuildOptions.exchangeTags} cannot be for a config, or null. */
  exchangeProblem(config: Config): string | null;
  /**
   * The `data` that a model is pretrained on for runs of a config: facts alone (train subset `facts`), in the same vocabulary.
   * Absent where an experiment has none.
   */
  pretrainingData?(config: Config): Config;
  /** Sizes of the data that {@link build} makes of a config. Throws a UserError where it would. */
  sizes(config: Config, loss: LossConfig): DataSizes;
  /**
   * Builds the data of one seed for one loss; equal arguments give byte-identical data. Throws a UserError for tags that
   * cannot be exchanged.
   */
  build(config: Config, loss: LossConfig, seed: number, options?: BuildOptions): ExperimentData;
}
