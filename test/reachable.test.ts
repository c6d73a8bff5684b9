import fs from 'node:fs';
import { expect, test } from 'vitest';
import { readProject } from './support/project.js';

const project = readProject('tsconfig.json');
const isSource = (file: string): boolean => /^(?:data|src|tui)\//.test(file);

/** Sources of what the package exports and runs: `dist/src/index.js` is `src/index.ts`. */
function entries(): string[] {
  const { bin, exports } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
    bin: Record<string, string>;
    exports: Record<string, string | { default: string }>;
  };
  const doors = Object.values(exports).flatMap((door) => (typeof door === 'string' ? [] : [door.default]));
  return [...Object.values(bin), ...doors].map((file) =>
    file.replace(/^(?:\.\/)?dist\//, '').replace(/\.js$/, '.ts'),
  );
}

test('the command line and the exports of the package reach every file', () => {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    project.importsOf(file).forEach(visit);
  };
  entries().forEach(visit);
  expect(project.files.filter((file) => isSource(file) && !reached.has(file))).toEqual([]);
});

const named = project.exportedNames.filter(({ file }) => isSource(file));

test('every exported name is used by another file, or at home and by tests', () => {
  const idle = named.filter(({ users, isUsedAtHome, isType }) => {
    if ([...users].some(isSource)) return false;
    return !isUsedAtHome || (users.size === 0 && !isType);
  });
  const shown = idle.map(({ file, name }) => `${file}#${name}`);
  expect(shown).toEqual([]);
});

test('an exported name has one meaning', () => {
  const places = new Map<string, string[]>();
  for (const { file, name } of named) places.set(name, [...(places.get(name) ?? []), file]);
  const doubles = [...places].filter(([, files]) => files.length > 1);
  expect(doubles.map(([name, files]) => `${name}: ${files.join(', ')}`)).toEqual([]);
});
