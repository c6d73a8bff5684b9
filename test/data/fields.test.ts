import { describe, expect, it } from 'vitest';
import { allocateFields, fieldSize, float32Field, int32Field } from '../../data/fields.js';

const fields = {
  image: { dtype: 'float32', shape: [4, 3, 2] },
  tokens: { dtype: 'int32', shape: [5] },
  place: { dtype: 'int32', shape: [] },
} as const;

describe('allocateFields', () => {
  it('gives each field room for every example', () => {
    expect(fieldSize(fields.place)).toBe(1);
    const buffers = allocateFields(fields, 7);
    expect(buffers['image']).toEqual(new Float32Array(7 * 24));
    expect(buffers['tokens']).toEqual(new Int32Array(7 * 5));
    expect(buffers['place']).toEqual(new Int32Array(7));
  });

  it('fields are found by name and type', () => {
    const buffers = allocateFields(fields, 1);
    expect(int32Field(buffers, 'tokens')).toBe(buffers['tokens']);
    expect(float32Field(buffers, 'image')).toBe(buffers['image']);
    expect(() => int32Field(buffers, 'image')).toThrow('the buffers have no int32 field image');
    expect(() => float32Field(buffers, 'labels')).toThrow(TypeError);
  });
});
