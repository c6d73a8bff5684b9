import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createStream } from '../../../data/random/streams.js';

const entries = z.array(
  z.object({
    seed: z.number(),
    name: z.string(),
    words: z.array(z.number()),
    uniform: z.array(z.number()),
    integer: z.array(z.number()),
    permutation: z.array(z.number()),
    normal: z.array(z.number()),
    normalSum: z.number(),
  }),
);
type Entry = z.infer<typeof entries>[number];

/** The values that the page states. */
const documented = entries.parse(
  JSON.parse(/```json\n([\s\S]*?)```/.exec(fs.readFileSync('docs/streams.md', 'utf8'))![1]!),
);

function expectSame(drawn: Entry, expected: Entry): void {
  const { normal, normalSum, ...exact } = expected;
  expect(drawn).toMatchObject(exact);
  normal.forEach((value, i) => expect(drawn.normal[i]).toBeCloseTo(value, 12));
  expect(drawn.normalSum).toBeCloseTo(normalSum, 9);
}

test('streams are as docs/streams.md defines them', () => {
  expect(documented.length).toBeGreaterThan(2);
  for (const expected of documented) {
    const stream = () => createStream(expected.seed, expected.name);
    const [words, uniform, integer, normal, many] = [stream(), stream(), stream(), stream(), stream()];
    let normalSum = 0;
    for (let i = 0; i < 20_000; i++) normalSum += many.normal();
    expectSame(
      {
        seed: expected.seed,
        name: expected.name,
        // An integer below 2^32 is a word with its first bit changed.
        words: expected.words.map(() => (words.integer(2 ** 32) ^ 0x80000000) >>> 0),
        uniform: expected.uniform.map(() => uniform.uniform()),
        integer: expected.integer.map(() => integer.integer(1000)),
        permutation: Array.from(stream().permutation(expected.permutation.length)),
        normal: expected.normal.map(() => normal.normal()),
        normalSum,
      },
      expected,
    );
  }
});

test('so are those of examples/python/streams.py', (context) => {
  const python = spawnSync('python3', ['examples/python/streams.py'], { encoding: 'utf8' });
  if (python.error !== undefined) {
    console.log('skipped: there is no python3');
    context.skip();
  }
  expect(python.stderr).toBe('');
  const drawn = entries.parse(JSON.parse(python.stdout));
  expect(drawn.length).toBe(documented.length);
  drawn.forEach((entry, i) => expectSame(entry, documented[i]!));
});
