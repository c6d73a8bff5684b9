import type * as tf from '@tensorflow/tfjs-core';
import type { TestSet } from '../../data/experiment.js';
import { createStream, type RandomStream } from '../../data/random/streams.js';
import { createEvaluator, type Evaluator } from './evaluation/answers.js';
import { summariseAnswers, summariseScores, type MetricValue } from './evaluation/metrics.js';
import { createAnswerWriter, type AnswerWriter } from './evaluation/written-answers.js';
import { metricNames, type MetricName } from '../store/tables/internalization.js';
import type { ParameterBlock } from '../train/parameters/layout.js';
import type { RunTables } from './log/run-tables.js';
import type { RunPlan } from './plan.js';

/** Metrics of one replica: test set -> metric -> value. */
export type Metrics = ReadonlyMap<string, Readonly<Partial<Record<MetricName, MetricValue>>>>;

/** When metrics were taken. */
export interface EvaluationPlace {
  readonly stage: number;
  readonly step: number;
  readonly epoch: number;
}

/** Asks R replicas the questions of all test sets. */
export class Evaluation {
  private readonly evaluator: Evaluator;
  /** Null where no answers are written. */
  private readonly writer: AnswerWriter | null;
  /** Rows asked between start and end of a stage: `[set][replica]`. */
  private readonly chosen: readonly (readonly Int32Array[])[];
  private readonly all: readonly (readonly Int32Array[])[];

  constructor(
    private readonly plan: RunPlan,
    blocks: readonly ParameterBlock[],
  ) {
    const { batchSize, maxExamples, gold, generation } = plan.config.evaluation;
    this.evaluator = createEvaluator(plan.model, blocks, batchSize, gold);
    this.writer =
      generation === null
        ? null
        : createAnswerWriter(
            plan.model,
            blocks,
            { batchSize, maxNewTokens: generation.maxNewTokens, gold },
            plan.data,
          );
    const sets = plan.data[0]!.tests.map((_, set) => set);
    const rowsOf = (limit: number | null): Int32Array[][] =>
      sets.map((set) =>
        plan.data.map((data, replica) =>
          chooseRows(data.tests[set]!.examples.size, limit, this.random(replica)),
        ),
      );
    this.all = rowsOf(null);
    this.chosen = rowsOf(maxExamples);
  }

  /**
   * @param values blocks of parameters
   * @param full whether to ask every question, not only the configured number
   * @returns metrics of each replica
   */
  evaluate(values: readonly tf.Tensor[], full: boolean): Metrics[] {
    const { data } = this.plan;
    const metrics = data.map(() => new Map<string, Partial<Record<MetricName, MetricValue>>>());
    data[0]!.tests.forEach(({ name }, set) => {
      const asked = data.map((own) => own.tests[set]!);
      const rows = (full ? this.all : this.chosen)[set]!;
      const answers = this.evaluator.ask(values, asked, rows, (replica) => this.random(replica));
      answers.forEach((own, replica) => {
        const { majority, examples } = asked[replica]!;
        const { variable } = examples;
        metrics[replica]!.set(
          name,
          summariseAnswers(
            own,
            rows[replica]!.map((row) => variable[row]!),
            majority === undefined ? null : Float32Array.from(rows[replica]!, (row) => majority[row]!),
          ),
        );
      });
      if (this.writer !== null && asked.every(({ rightAnswers }) => rightAnswers !== undefined))
        this.write(this.writer, values, asked, rows).forEach((own, replica) => {
          metrics[replica]!.set(name, { ...metrics[replica]!.get(name), ...own });
        });
    });
    return metrics;
  }

  /** Metrics of the answers that each replica writes to the questions of a set, or to a fixed choice of them. */
  private write(
    writer: AnswerWriter,
    values: readonly tf.Tensor[],
    asked: readonly TestSet[],
    rows: readonly Int32Array[],
  ): Partial<Record<MetricName, MetricValue>>[] {
    const { maxExamples } = this.plan.config.evaluation.generation!;
    const chosen = rows.map((own, replica) => {
      const places = chooseRows(own.length, maxExamples, this.random(replica));
      return Int32Array.from(places, (place) => own[place]!);
    });
    return writer
      .write(values, asked, chosen, (replica) => this.random(replica))
      .map((scores, replica) => {
        const { variable } = asked[replica]!.examples;
        return summariseScores(
          scores,
          Int32Array.from(chosen[replica]!, (row) => variable[row]!),
        );
      });
  }

  dispose(): void {
    this.evaluator.dispose();
    this.writer?.dispose();
  }

  /** The same draws at every evaluation, so that evaluations differ by the model alone. */
  private random(replica: number): RandomStream {
    return createStream(this.plan.seeds[replica]!, 'evaluation');
  }
}

function chooseRows(size: number, limit: number | null, random: RandomStream): Int32Array {
  if (limit === null || limit >= size) return Int32Array.from({ length: size }, (_, row) => row);
  return random.permutation(size).subarray(0, limit).toSorted();
}

/** Appends the metrics of one replica to its table. */
export function writeMetrics(
  tables: RunTables,
  plan: RunPlan,
  place: EvaluationPlace,
  metrics: Metrics,
): void {
  const writer = tables.metrics;
  for (const { name, subset } of plan.data[0]!.tests) {
    const values = metrics.get(name);
    if (values === undefined) continue;
    const measured = metricNames.flatMap((metric) => {
      const own = values[metric];
      return own === undefined ? [] : [{ metric, ...own }];
    });
    const first = writer.reserve(measured.length);
    measured.forEach(({ metric, value, n, standardError }, i) => {
      const row = first + i;
      writer.column('stage')[row] = place.stage;
      writer.column('step')[row] = place.step;
      writer.column('epoch')[row] = place.epoch;
      writer.column('set')[row] = writer.indexOf('set', name);
      writer.column('subset')[row] = writer.indexOf('subset', subset);
      writer.column('metric')[row] = writer.indexOf('metric', metric);
      writer.column('value')[row] = value;
      writer.column('n')[row] = n;
      writer.column('standard_error')[row] = standardError ?? NaN;
    });
  }
  writer.flush();
}
