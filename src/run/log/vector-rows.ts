import type * as tf from '@tensorflow/tfjs-core';
import { createSketcher, type Sketcher } from '../../train/groups/sketch.js';
import type { Model } from '../../train/models/model.js';
import type { LogTarget, StepPlace } from './gradient-log.js';
import type { RunTables } from './run-tables.js';

/** Numbers of a row of the table `vectors`: readers stream rows of 4 MB. */
const chunkSize = 1 << 20;

/** Rows of the tables `sketches` and `vectors`; dictionaries as in `gram-rows.ts`. */
export class VectorRows {
  private readonly names: readonly string[];
  private readonly sizes: readonly number[];
  private sketchers: readonly Sketcher[] | null = null;

  private readonly groups: number;

  /** @param groupsOfRun number, among the groups of the run, of each group that is logged */
  constructor(
    model: Model,
    private readonly groupsOfRun: readonly number[],
    private readonly sketchSize: number,
    private readonly sketchSeed: number,
  ) {
    this.groups = groupsOfRun.length;
    this.names = model.parameters.map(({ name }) => name);
    this.sizes = model.parameters.map(({ shape }) => shape.reduce((product, length) => product * length, 1));
  }

  /**
   * Writes the gradients of the groups that have examples, and of the minibatch, which is their sum.
   *
   * @param counts `[replica][group]`
   * @param parts `[replica, group, size]` of each parameter; disposed of here
   */
  write(
    targets: readonly (LogTarget | null)[],
    counts: readonly Int32Array[],
    parts: readonly tf.Tensor3D[],
    what: { readonly sketch: boolean; readonly vectors: boolean },
  ): void {
    const sketches = what.sketch ? targets.map(() => this.emptySketches()) : null;
    parts.forEach((part, parameter) => {
      const values = part.dataSync<'float32'>();
      part.dispose();
      const size = this.sizes[parameter]!;
      targets.forEach((target, replica) => {
        if (target === null) return;
        const { tables: own, place } = target;
        const from = replica * this.groups * size;
        const vectors: Float32Array[] = [];
        for (let group = 0; group < this.groups; group++) {
          if (counts[replica]![group] === 0) continue;
          const vector = values.subarray(from + group * size, from + (group + 1) * size);
          if (sketches !== null) this.addSketch(sketches[replica]!, parameter, group + 1, vector);
          if (what.vectors) writeVector(own, place, this.groupsOfRun[group]! + 1, parameter + 1, vector);
          vectors.push(vector);
        }
        if (what.vectors) writeVector(own, place, 0, parameter + 1, sumOf(vectors, size));
      });
    });
    sketches?.forEach((own, replica) => {
      const target = targets[replica];
      if (target) this.writeSketches(target.tables, target.place, counts[replica]!, own);
    });
  }

  /** `[group][tensor]` sketches, minibatch and total first. */
  private emptySketches(): Float64Array[][] {
    return Array.from({ length: this.groups + 1 }, () =>
      Array.from({ length: this.names.length + 1 }, () => new Float64Array(this.sketchSize)),
    );
  }

  /** Sketches are linear: those of the minibatch and of all tensors together are sums. */
  private addSketch(
    sketches: Float64Array[][],
    parameter: number,
    group: number,
    vector: Float32Array,
  ): void {
    this.sketchers ??= this.names.map((name, i) =>
      createSketcher(name, this.sizes[i]!, this.sketchSize, this.sketchSeed),
    );
    const own = sketches[group]![parameter + 1]!;
    this.sketchers[parameter]!.add(vector, own);
    for (const sum of [sketches[group]![0]!, sketches[0]![parameter + 1]!, sketches[0]![0]!]) {
      for (let i = 0; i < this.sketchSize; i++) sum[i]! += own[i]!;
    }
  }

  private writeSketches(
    tables: RunTables,
    { stage, step }: StepPlace,
    counts: Int32Array,
    sketches: Float64Array[][],
  ): void {
    const writer = tables.sketches!;
    sketches.forEach((tensors, group) => {
      if (group > 0 && counts[group - 1] === 0) return;
      const first = writer.reserve(tensors.length);
      const columns = {
        stage: writer.column('stage'),
        step: writer.column('step'),
        group: writer.column('group'),
        tensor: writer.column('tensor'),
        sketch: writer.column('sketch'),
      };
      tensors.forEach((sketch, tensor) => {
        const row = first + tensor;
        columns.stage[row] = stage;
        columns.step[row] = step;
        columns.group[row] = group === 0 ? 0 : this.groupsOfRun[group - 1]! + 1;
        columns.tensor[row] = tensor;
        columns.sketch.set(sketch, row * this.sketchSize);
      });
    });
  }
}

function sumOf(vectors: readonly Float32Array[], size: number): Float32Array {
  const sum = new Float64Array(size);
  for (const vector of vectors) for (let i = 0; i < size; i++) sum[i]! += vector[i]!;
  return Float32Array.from(sum);
}

function writeVector(
  tables: RunTables,
  { stage, step }: StepPlace,
  group: number,
  tensor: number,
  vector: Float32Array,
): void {
  const writer = tables.vectors!;
  for (let offset = 0, chunk = 0; offset < vector.length; offset += chunkSize, chunk++) {
    const row = writer.reserve(1);
    writer.column('stage')[row] = stage;
    writer.column('step')[row] = step;
    writer.column('group')[row] = group;
    writer.column('tensor')[row] = tensor;
    writer.column('chunk')[row] = chunk;
    writer.column('offset')[row] = offset;
    writer.column('values').push(vector.subarray(offset, offset + chunkSize));
  }
}
