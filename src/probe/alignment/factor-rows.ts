import { exampleCount } from '../panel/ghost-products.js';
import { panelExamples, type Panel } from '../panel/panel.js';
import type { tables } from '../../store/tables/registry.js';
import type { TableWriter } from '../../store/table-writer.js';
import type { ParameterUse } from '../../train/tape/uses.js';
import type { Moment } from '../probe.js';

/** Writes the factors of every example of a panel, without loss. */
export function writeFactors(
  writer: TableWriter<typeof tables.factors>,
  { stage, step }: Moment,
  panel: Panel,
  uses: readonly ParameterUse[],
): void {
  const examples = panelExamples(panel);
  const seen = new Map<string, number>();
  for (const use of uses) {
    const number = seen.get(use.parameter) ?? 0;
    seen.set(use.parameter, number + 1);
    const { rows, left, ids, right } = hostFactors(use);
    for (let i = 0; i < exampleCount(use); i++) {
      const own = examples[i]!;
      const entity = panel.entities[own.entity]!;
      const part = (values: Float32Array | Int32Array): ArrayLike<number> => {
        const size = values.length / panel.size;
        return values.subarray(i * size, (i + 1) * size);
      };
      writer.append({
        stage,
        step,
        example: i,
        subset: entity.subset,
        variable: entity.variable,
        role: own.role,
        tensor: use.parameter,
        use: number,
        kind: use.kind,
        rows,
        left: part(left),
        ids: part(ids),
        right: part(right),
      });
    }
    writer.flush();
  }
}

interface HostFactors {
  readonly rows: number;
  readonly left: Float32Array;
  readonly ids: Int32Array;
  readonly right: Float32Array;
}

function hostFactors(use: ParameterUse): HostFactors {
  const none = { left: new Float32Array(0), ids: new Int32Array(0) };
  switch (use.kind) {
    case 'vector':
      return { ...none, rows: 1, right: use.sums.dataSync<'float32'>() };
    case 'embedding':
      return {
        ...none,
        rows: use.rows,
        ids: use.ids.dataSync<'int32'>(),
        right: use.right.dataSync<'float32'>(),
      };
    case 'linear':
      return {
        ...none,
        rows: use.rows,
        left: use.left.dataSync<'float32'>(),
        right: use.right.dataSync<'float32'>(),
      };
  }
}
