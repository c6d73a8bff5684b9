import type { StepPlace } from './gradient-log.js';
import type { TableWriter } from '../../store/table-writer.js';
import type { tables as definitions } from '../../store/tables/registry.js';
import type { RunTables } from './run-tables.js';

/**
 * Rows of the tables `gradients` and `gram`. In their dictionaries tensor 0 is `total` and group 0 is `minibatch`;
 * parameter p is tensor p + 1 and group g of the run is group g + 1.
 */
export class GramRows {
  private readonly matrix: Float64Array;
  private readonly exampleSums: Float64Array;

  private readonly groups: number;

  /** @param groupsOfRun number, among the groups of the run, of each group that is logged */
  constructor(
    private readonly groupsOfRun: readonly number[],
    private readonly parameters: number,
  ) {
    const groups = groupsOfRun.length;
    this.groups = groups;
    this.matrix = new Float64Array((parameters + 1) * groups * groups);
    this.exampleSums = new Float64Array((parameters + 1) * (groups + 1));
  }

  /**
   * @param counts `[group]` examples of each group in the replica's minibatch; groups without any get no rows
   * @param grams `[replica, parameter, group, group]`
   * @param exampleNorms2 `[replica, parameter, example]`, or null at steps that do not measure it
   * @param groupOf `[replica, example]`
   */
  write(
    tables: RunTables,
    place: StepPlace,
    replica: number,
    counts: Int32Array,
    grams: Float64Array,
    exampleNorms2: Float32Array | null,
    groupOf: Int32Array,
  ): void {
    this.sumOverTensors(grams, replica);
    if (exampleNorms2 !== null) {
      const examples = counts.reduce((sum, count) => sum + count, 0);
      this.sumOverExamples(exampleNorms2, replica, groupOf, examples);
    }
    this.writeGradients(tables.gradients!, place, counts, exampleNorms2 !== null);
    this.writeGram(tables.gram!, place, counts);
  }

  /**
   * Norms of the minibatch gradient alone (tier `norms`).
   *
   * @param norms2 `[replica, parameter]`
   */
  writeNorms(tables: RunTables, { stage, step }: StepPlace, norms2: Float32Array, replica: number): void {
    const writer = tables.gradients!;
    const first = writer.reserve(this.parameters + 1);
    const columns = {
      stage: writer.column('stage'),
      step: writer.column('step'),
      group: writer.column('group'),
      tensor: writer.column('tensor'),
      norm2: writer.column('norm2'),
    };
    const own = norms2.subarray(replica * this.parameters, (replica + 1) * this.parameters);
    for (let tensor = 0; tensor <= this.parameters; tensor++) {
      const row = first + tensor;
      columns.stage[row] = stage;
      columns.step[row] = step;
      columns.group[row] = 0;
      columns.tensor[row] = tensor;
      columns.norm2[row] = tensor === 0 ? own.reduce((sum, value) => sum + value, 0) : own[tensor - 1]!;
    }
  }

  /** Fills {@link matrix} `[tensor, group, group]`, total first. */
  private sumOverTensors(grams: Float64Array, replica: number): void {
    const size = this.groups * this.groups;
    const { matrix } = this;
    const from = replica * this.parameters * size;
    matrix.set(grams.subarray(from, from + this.parameters * size), size);
    matrix.fill(0, 0, size);
    for (let p = 1; p <= this.parameters; p++) {
      for (let i = 0; i < size; i++) matrix[i]! += matrix[p * size + i]!;
    }
  }

  /** Fills {@link exampleSums} `[tensor, group]`, total and minibatch first. */
  private sumOverExamples(
    norms2: Float32Array,
    replica: number,
    groupOf: Int32Array,
    examples: number,
  ): void {
    const { exampleSums, parameters } = this;
    const columns = this.groups + 1;
    exampleSums.fill(0);
    for (let p = 0; p < parameters; p++) {
      const from = (replica * parameters + p) * examples;
      for (let example = 0; example < examples; example++) {
        const value = norms2[from + example]!;
        const group = groupOf[replica * examples + example]! + 1;
        exampleSums[(p + 1) * columns + group]! += value;
        exampleSums[(p + 1) * columns]! += value;
        exampleSums[group]! += value;
        exampleSums[0]! += value;
      }
    }
  }

  private writeGradients(
    writer: TableWriter<typeof definitions.gradients>,
    { stage, step }: StepPlace,
    counts: Int32Array,
    examples: boolean,
  ): void {
    const { groups, parameters, matrix, exampleSums } = this;
    let present = 1;
    for (let g = 0; g < groups; g++) if (counts[g]! > 0) present++;
    let row = writer.reserve(present * (parameters + 1));
    const columns = {
      stage: writer.column('stage'),
      step: writer.column('step'),
      group: writer.column('group'),
      tensor: writer.column('tensor'),
      norm2: writer.column('norm2'),
      example: writer.column('example_norm2'),
    };
    for (let group = 0; group <= groups; group++) {
      if (group > 0 && counts[group - 1] === 0) continue;
      for (let tensor = 0; tensor <= parameters; tensor++) {
        const base = tensor * groups * groups;
        let norm2 = 0;
        if (group > 0) norm2 = matrix[base + (group - 1) * (groups + 1)]!;
        else for (let i = 0; i < groups * groups; i++) norm2 += matrix[base + i]!;
        columns.stage[row] = stage;
        columns.step[row] = step;
        columns.group[row] = group === 0 ? 0 : this.groupsOfRun[group - 1]! + 1;
        columns.tensor[row] = tensor;
        // Rounding can leave a vanishing sum of squares below zero.
        columns.norm2[row] = Math.max(0, norm2);
        columns.example[row] = examples ? exampleSums[tensor * (groups + 1) + group]! : NaN;
        row++;
      }
    }
  }

  private writeGram(
    writer: TableWriter<typeof definitions.gram>,
    { stage, step }: StepPlace,
    counts: Int32Array,
  ): void {
    const { groups, parameters, matrix } = this;
    const present: number[] = [];
    for (let g = 0; g < groups; g++) if (counts[g]! > 0) present.push(g);
    const pairs = (present.length * (present.length - 1)) / 2;
    if (pairs === 0) return;
    let row = writer.reserve(pairs * (parameters + 1));
    const columns = {
      stage: writer.column('stage'),
      step: writer.column('step'),
      tensor: writer.column('tensor'),
      a: writer.column('group_a'),
      b: writer.column('group_b'),
      inner: writer.column('inner'),
      cosine: writer.column('cosine'),
    };
    for (let tensor = 0; tensor <= parameters; tensor++) {
      const base = tensor * groups * groups;
      for (let i = 0; i < present.length; i++) {
        for (let j = i + 1; j < present.length; j++) {
          const [a, b] = [present[i]!, present[j]!];
          const inner = matrix[base + a * groups + b]!;
          const [a2, b2] = [matrix[base + a * (groups + 1)]!, matrix[base + b * (groups + 1)]!];
          columns.stage[row] = stage;
          columns.step[row] = step;
          columns.tensor[row] = tensor;
          columns.a[row] = this.groupsOfRun[a]! + 1;
          columns.b[row] = this.groupsOfRun[b]! + 1;
          columns.inner[row] = inner;
          // Rounding can leave vanishing sums of squares below zero, both of them too.
          columns.cosine[row] = a2 > 0 && b2 > 0 ? inner / Math.sqrt(a2 * b2) : NaN;
          row++;
        }
      }
    }
  }
}
