import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isPrintable } from '../../data/printable.js';
import { shellCommand, shellWord } from '../../data/shell-word.js';

test('quoted words are given back by a shell as they were, and are printable', () => {
  const words = [
    '',
    'a b',
    "it's",
    '$HOME `ls` "x" \\ !',
    '*.arrow',
    '~',
    '#',
    '--set',
    'loss>2 !word',
    'a\u001B[31m1\nb',
    'é 界 \u202E',
    "\u0007'\\",
  ];
  const command = shellCommand(['printf', String.raw`%s\0`, ...words]);
  expect(isPrintable(command)).toBe(true);
  const out = execFileSync('bash', ['-c', command], { encoding: 'utf8' });
  expect(out.split('\0').slice(0, -1)).toEqual(words);
});

test('words that are safe are left as they are', () => {
  for (const own of ['runs/small-seed0', '--width=100', 'd1consis:down', '512:d1consis/17/heldout'])
    expect(shellWord(own)).toBe(own);
});
