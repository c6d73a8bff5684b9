/** Tensor of a folder that a parameter is made of. */
export interface ExpectedTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A parameter as the tensors of a folder, and back. */
export interface TensorMapping {
  readonly parameter: string;
  readonly tensors: readonly ExpectedTensor[];
  /** Values of the parameter, row-major, from those of the tensors. */
  readonly fromTensors: (values: readonly Float32Array[]) => Float32Array;
  readonly toTensors: (values: Float32Array) => readonly Float32Array[];
}

/** A parameter that is a tensor as it is. */
export function sameLayout(parameter: string, name: string, shape: readonly number[]): TensorMapping {
  return {
    parameter,
    tensors: [{ name, shape }],
    fromTensors: ([values]) => values!,
    toTensors: (values) => [values],
  };
}

/** Tensors `[rows, inputs]` of linear maps as PyTorch has them, whose rows are the outputs. */
interface RowTensor {
  readonly name: string;
  readonly rows: number;
}

/** Columns that are moved at once. */
const columnsAtOnce = 64;

/**
 * The weight `[inputs, outputs]` of linear maps side by side, from tensors `[rows, inputs]`: column c is row `order[c]` of the
 * tensors below each other.
 *
 * @param order null: the rows in their order
 */
export function transposedRows(
  parameter: string,
  tensors: readonly RowTensor[],
  inputs: number,
  order: Int32Array | null = null,
): TensorMapping {
  const { tensorOf, rowOf } = rowSources(tensors, order);
  const outputs = rowOf.length;
  /** Visits all numbers, some columns at a time, so that what is read and what is written stay in the processor's cache. */
  const eachNumber = (use: (tensor: number, at: number, to: number) => void): void => {
    for (let first = 0; first < outputs; first += columnsAtOnce) {
      const end = Math.min(outputs, first + columnsAtOnce);
      for (let i = 0; i < inputs; i++) {
        for (let column = first; column < end; column++)
          use(tensorOf[column]!, rowOf[column]! * inputs + i, i * outputs + column);
      }
    }
  };
  return {
    parameter,
    tensors: tensors.map(({ name, rows }) => ({ name, shape: [rows, inputs] })),
    fromTensors: (values) => {
      const result = new Float32Array(inputs * outputs);
      eachNumber((tensor, at, to) => (result[to] = values[tensor]![at]!));
      return result;
    },
    toTensors: (values) => {
      const result = tensors.map(({ rows }) => new Float32Array(rows * inputs));
      eachNumber((tensor, at, to) => (result[tensor]![at] = values[to]!));
      return result;
    },
  };
}

/** The bias of such maps, from tensors `[rows]`. */
export function biasRows(
  parameter: string,
  tensors: readonly RowTensor[],
  order: Int32Array | null = null,
): TensorMapping {
  const { fromTensors, toTensors } = transposedRows(parameter, tensors, 1, order);
  return {
    parameter,
    tensors: tensors.map(({ name, rows }) => ({ name, shape: [rows] })),
    fromTensors,
    toTensors,
  };
}

/** Tensor and row of each column. */
function rowSources(
  tensors: readonly RowTensor[],
  order: Int32Array | null,
): { readonly tensorOf: Int32Array; readonly rowOf: Int32Array } {
  const outputs = tensors.reduce((sum, { rows }) => sum + rows, 0);
  const all = { tensorOf: new Int32Array(outputs), rowOf: new Int32Array(outputs) };
  let first = 0;
  tensors.forEach(({ rows }, tensor) => {
    for (let row = 0; row < rows; row++) {
      all.tensorOf[first + row] = tensor;
      all.rowOf[first + row] = row;
    }
    first += rows;
  });
  if (order === null) return all;
  return { tensorOf: order.map((own) => all.tensorOf[own]!), rowOf: order.map((own) => all.rowOf[own]!) };
}
