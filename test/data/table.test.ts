import { describe, expect, it } from 'vitest';
import { allocateFields } from '../../data/fields.js';
import { createStream } from '../../data/random/streams.js';
import { tableExamples, type ExampleTable } from '../../data/table.js';

const table: ExampleTable = {
  fields: { tokens: { dtype: 'int32', shape: [2] }, weight: { dtype: 'float32', shape: [] } },
  buffers: { tokens: Int32Array.of(0, 1, 10, 11, 20, 21), weight: Float32Array.of(0.5, 1.5, 2.5) },
  group: Int32Array.of(0, 1, -1),
  variable: Int32Array.of(7, 8, 9),
  id: Int32Array.of(0, 1, -1),
};

describe('tableExamples', () => {
  const examples = tableExamples(table, Int32Array.of(2, 0));
  const random = createStream(0, 'noise');

  it('selects rows', () => {
    expect(examples.size).toBe(2);
    expect(examples.group).toEqual(Int32Array.of(-1, 0));
    expect(examples.variable).toEqual(Int32Array.of(9, 7));
    expect(examples.id).toEqual(Int32Array.of(-1, 0));
  });

  it('writes one slot and draws nothing', () => {
    const buffers = allocateFields(examples.fields, 3);
    const state = random.state();
    examples.fill([0], 1, buffers, () => random);
    expect(buffers).toEqual({
      tokens: Int32Array.of(0, 0, 20, 21, 0, 0),
      weight: Float32Array.of(0, 2.5, 0),
    });
    expect(random.state()).toEqual(state);
  });

  it('refuses rows and buffers that are not there', () => {
    const buffers = allocateFields(examples.fields, 1);
    expect(() => examples.fill([2], 0, buffers, () => random)).toThrow('no row 2 among 2');
    expect(() => examples.fill([-1], 0, buffers, () => random)).toThrow(RangeError);
    expect(() => examples.fill([0], 0, { tokens: new Int32Array(2) }, () => random)).toThrow(
      'no field weight',
    );
  });
});
