import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../../../data/errors.js';
import { setupOptions } from '../../../../src/train/engine/setup/index.js';

const options = (environment: Record<string, string>, engine?: string) =>
  setupOptions({ projectRoot: '/p', ...(engine && { engine }) }, environment);

test('defaults', () => {
  expect(options({})).toEqual({
    projectRoot: '/p',
    cacheFolder: join(homedir(), '.cache/gradscope'),
    engine: 'native',
    wheel: { package: 'tensorflow-cpu', version: '2.21.0', named: false },
    python: undefined,
    check: false,
    official: false,
    automatic: false,
  });
});

test('the environment chooses', () => {
  expect(options({ GRADSCOPE_CACHE: '/c', XDG_CACHE_HOME: '/x' }).cacheFolder).toBe('/c');
  expect(options({ XDG_CACHE_HOME: '/x' }).cacheFolder).toBe('/x/gradscope');
  expect(options({ GRADSCOPE_PYTHON: 'python3.12' }).python).toBe('python3.12');
  expect(options({ GRADSCOPE_ENGINE: 'wasm' }).engine).toBe('wasm');
  expect(options({ GRADSCOPE_ENGINE: 'wasm' }, 'native').engine).toBe('native');
  expect(options({ GRADSCOPE_TENSORFLOW_PACKAGE: 'Tensorflow_CPU==2.20.0' }).wheel).toEqual({
    package: 'tensorflow-cpu',
    version: '2.20.0',
    named: true,
  });
});

test.each([
  { GRADSCOPE_ENGINE: 'gpu' },
  { GRADSCOPE_TENSORFLOW_PACKAGE: 'tensorflow[and-cuda]' },
  { GRADSCOPE_TENSORFLOW_PACKAGE: '../tensorflow' },
  { GRADSCOPE_TENSORFLOW_PACKAGE: '--index-url=x' },
])('%o means nothing', (environment) => {
  expect(() => options(environment)).toThrow(UserError);
});
