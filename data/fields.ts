import type { FieldBuffers, FieldSpec, FieldSpecs } from './experiment.js';

/** Numbers in one example's value of a field. */
export function fieldSize(spec: FieldSpec): number {
  return spec.shape.reduce((product, length) => product * length, 1);
}

/** Zeroed storage of `count` examples: each field an array `[count, ...shape]`, row-major. */
export function allocateFields(fields: FieldSpecs, count: number): FieldBuffers {
  return Object.fromEntries(
    Object.entries(fields).map(([name, spec]) => {
      const length = count * fieldSize(spec);
      return [name, spec.dtype === 'int32' ? new Int32Array(length) : new Float32Array(length)];
    }),
  );
}

/** The int32 field `name`. Throws a TypeError when the buffers have none. */
export function int32Field(buffers: FieldBuffers, name: string): Int32Array {
  const field = buffers[name];
  if (!(field instanceof Int32Array)) throw new TypeError(`the buffers have no int32 field ${name}`);
  return field;
}

/** The float32 field `name`. Throws a TypeError when the buffers have none. */
export function float32Field(buffers: FieldBuffers, name: string): Float32Array {
  const field = buffers[name];
  if (!(field instanceof Float32Array)) throw new TypeError(`the buffers have no float32 field ${name}`);
  return field;
}
