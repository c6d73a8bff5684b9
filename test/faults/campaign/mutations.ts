import type { RandomStream } from '../../../data/random/streams.js';

/** A changed copy, and what was changed. */
export interface Mutation<T> {
  readonly what: string;
  readonly value: T;
}

/** One of the items. */
export function oneOf<T>(random: RandomStream, items: readonly T[]): T {
  return items[random.integer(items.length)]!;
}

/** Text that a terminal would obey: title, colour, bell, C1 controls, a carriage return, right-to-left override. */
export const hostileText = 'A\u001B]0;title\u0007B\u001B[31mC\u009B2JD\u0090E\rF\bG\u202EH';

/** Names of folders that lie elsewhere. */
export const hostilePaths: readonly string[] = [
  '../../../outside',
  '/tmp/gradscope-outside',
  '..',
  '.',
  '',
  'a/b',
  'a\\..\\b',
  'nul\u0000byte',
  '~',
  '-rf',
  'x'.repeat(300),
];

/** Bytes flipped, cut, repeated, zeroed, or replaced. */
export function mutateBytes(random: RandomStream, bytes: Uint8Array): Mutation<Uint8Array> {
  const copy = Uint8Array.from(bytes);
  const at = random.integer(Math.max(1, copy.length));
  const length = 1 + random.integer(oneOf(random, [1, 8, 64, 1024]));
  switch (random.integer(8)) {
    case 0:
    case 1: {
      copy[at] = copy[at]! ^ (1 << random.integer(8));
      return { what: `bit flipped in byte ${at}`, value: copy };
    }
    case 2:
      return { what: `cut to ${at} bytes`, value: copy.subarray(0, at) };
    case 3:
      copy.fill(0, at, at + length);
      return { what: `${length} bytes from ${at} zeroed`, value: copy };
    case 4:
      copy.fill(255, at, at + length);
      return { what: `${length} bytes from ${at} set to 255`, value: copy };
    case 5:
      return {
        what: `${length} bytes from ${at} taken out`,
        value: Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)]),
      };
    case 6:
      return {
        what: `${length} bytes from ${at} doubled`,
        value: Buffer.concat([copy.subarray(0, at + length), copy.subarray(at)]),
      };
    default: {
      for (let i = at; i < Math.min(copy.length, at + length); i++) copy[i] = random.integer(256);
      return { what: `${length} random bytes at ${at}`, value: copy };
    }
  }
}

/** A 32-bit or 64-bit number at a multiple of four bytes set to a huge, negative or otherwise unlikely value. */
export function mutateNumbers(random: RandomStream, bytes: Uint8Array, below: number): Mutation<Uint8Array> {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  const at = 4 * random.integer(Math.max(1, Math.floor((Math.min(below, copy.length) - 8) / 4)));
  const value = oneOf(random, [
    1n << 40n,
    (1n << 63n) - 1n,
    -1n,
    0n,
    1n << 31n,
    16_384n,
    123_456_789n,
    -(1n << 40n),
  ]);
  if (random.uniform() < 0.5) {
    view.setBigInt64(at, value, true);
    return { what: `${value} in 8 bytes at ${at}`, value: copy };
  }
  const narrow = Number(BigInt.asIntN(32, value));
  view.setInt32(at, narrow, true);
  return { what: `${narrow} in 4 bytes at ${at}`, value: copy };
}

/** Values that no entry of a file should have. */
function hostileValue(random: RandomStream): unknown {
  return oneOf<() => unknown>(random, [
    () => null,
    () => true,
    () => -1,
    () => 0,
    () => 0.5,
    () => 1e308,
    () => 2 ** 53,
    () => -(2 ** 31),
    () => '',
    () => 'x'.repeat(100_000),
    () => hostileText,
    () => oneOf(random, hostilePaths),
    () => [],
    () => ({}),
    () => Array.from({ length: 10_000 }, (_, i) => i),
    () => nested(2000),
    () => 'NaN',
    () => '2026-02-31T25:61:00Z',
  ])();
}

function nested(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** JSON with one entry replaced, left out or added. */
export function mutateJson(random: RandomStream, text: string): Mutation<string> {
  const root: unknown = JSON.parse(text);
  const places: (readonly [Record<string, unknown>, string, string])[] = [];
  const visit = (value: unknown, place: string): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, below] of Object.entries(value)) {
      // Arrays are records of their indices here.
      places.push([value as Record<string, unknown>, key, `${place}${key}`]);
      visit(below, `${place}${key}.`);
    }
  };
  visit(root, '');
  const [holder, key, place] = oneOf(random, places);
  if (random.uniform() < 0.15) {
    delete holder[key];
    return { what: `${place} left out`, value: JSON.stringify(root, null, 2) };
  }
  if (random.uniform() < 0.1) {
    const value = JSON.stringify(root, null, 2).replace('{', '{"__proto__": {"status": "complete"},');
    return { what: '__proto__ added', value };
  }
  holder[key] = hostileValue(random);
  const shown = JSON.stringify(holder[key]) ?? '';
  return { what: `${place} = ${shown.slice(0, 60)}`, value: JSON.stringify(root, null, 2) };
}

/** Text with bytes changed, or in another encoding. */
export function mutateText(random: RandomStream, text: string): Mutation<Uint8Array> {
  switch (random.integer(8)) {
    case 0:
      return { what: 'a byte order mark', value: Buffer.from(`\uFEFF${text}`) };
    case 1:
      return { what: 'UTF-16', value: Buffer.from(text, 'utf16le') };
    case 2: {
      const lines = text.split('\n');
      const i = random.integer(lines.length);
      const value = [...lines.slice(0, i), hostileText, ...lines.slice(i)].join('\n');
      return { what: `hostile text at line ${i + 1}`, value: Buffer.from(value) };
    }
    default:
      return mutateBytes(random, Buffer.from(text));
  }
}
