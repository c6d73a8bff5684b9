import { describe, expect, it } from 'vitest';
import { lossSchema } from '../../data/loss.js';

describe('lossSchema', () => {
  it('fills in what is not given', () => {
    expect(lossSchema.parse({ target: 'text' })).toEqual({
      target: 'text',
      normalisation: 'example',
      includePadding: false,
    });
  });

  it('refuses padding in the loss of an answer, misspelt keys and unknown values', () => {
    expect(lossSchema.safeParse({ target: 'answer', includePadding: true }).error?.issues[0]).toMatchObject({
      path: ['includePadding'],
      message: 'an answer has no padding: set target to text, or includePadding to false',
    });
    expect(lossSchema.safeParse({ target: 'text', normalization: 'token' }).success).toBe(false);
    expect(lossSchema.safeParse({ target: 'question' }).success).toBe(false);
  });
});
