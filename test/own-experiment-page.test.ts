import fs from 'node:fs';
import { expect, test } from 'vitest';

/** The page that explains a design of one's own quotes the example, which other tests run. */
const page = fs.readFileSync('docs/experiments/own.md', 'utf8');
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

function blocks(language: string): string[] {
  return Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')),
    ([, code]) => code!,
  );
}

test.each([
  ['js', 'mjs', 8],
  ['yaml', 'yaml', 1],
])('its %s is that of the example', (language, extension, count) => {
  const example = flat(fs.readFileSync(`examples/own-experiment.${extension}`, 'utf8'));
  const quoted = blocks(language);
  expect(quoted.length).toBeGreaterThanOrEqual(count);
  for (const code of quoted) expect(example).toContain(flat(code));
});
