import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** Runs a tool of node_modules; its output is the failure's message. */
function tool(name: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${name}`, args, { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

test.each([
  ['types', 'tsc', '--noEmit', '-p', '.'],
  ['lint', 'oxlint', '--type-aware', '--quiet'],
  ['format', 'prettier', '--check', '--log-level', 'warn', '.'],
])('%s', (_name, command, ...args) => {
  expect(tool(command, ...args)).toBe('');
});
