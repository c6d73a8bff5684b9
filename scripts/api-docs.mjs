// docs/api.md from the declarations of the package's exports: `node scripts/api-docs.mjs` writes it, with --check it says
// whether it is stale. Needs a build. (TypeScript 7 has no compiler interface for documentation tools to use.)
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const page = path.join(root, 'docs/api.md');

/** Names that a declaration file exports from others: `[{ name, from, isType }]`. */
function exportsOf(text) {
  return Array.from(text.matchAll(/^export (type )?\{([^}]+)\} from '([^']+)';/gm)).flatMap(
    ([, typeOnly, names, from]) =>
      names
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '')
        .map((entry) => {
          const name = entry.replace(/^type /, '');
          return { name, from, isType: typeOnly !== undefined || entry.startsWith('type ') };
        }),
  );
}

/** Doc comment as text: no stars, links as code, tags as lists. */
function textOf(comment) {
  return comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .replace(/\{@link (\w+(?:\.\w+)*)\}/g, '`$1`')
    .replace(/^@param (\w+)/gm, '- `$1`:')
    .replace(/^@returns/gm, '- returns')
    .replace(/^@throws/gm, '- throws')
    .replace(/^@example (\S.*)$/gm, 'Example: `$1`')
    .replace(/^@example$/gm, 'Example:\n')
    .replace(/^@module$/gm, '')
    .trim();
}

/** The declaration of a name in a declaration file with its doc comment, or null. */
function declarationOf(text, name) {
  const start = new RegExp(
    `^export (?:declare )?(?:abstract )?(?:function|const|class|interface|type) ${name}\\b`,
    'gm',
  );
  const found = Array.from(text.matchAll(start));
  if (found.length === 0) return null;
  const bodies = found.map(({ index }) => {
    // A declaration ends at the first line end outside all brackets, after a semicolon or a closing brace.
    let depth = 0;
    let end = index;
    for (let comment = false; end < text.length; end++) {
      if (text.startsWith('/*', end)) comment = true;
      if (text.startsWith('*/', end)) comment = false;
      if (comment) continue;
      if ('([{'.includes(text[end])) depth++;
      if (')]}'.includes(text[end])) depth--;
      if (depth === 0 && text[end] === '\n' && /[;}]$/.test(text.slice(index, end))) break;
    }
    return text
      .slice(index, end)
      .replace(/^export (declare )?/, '')
      .replace(/^ {4}private readonly.*\n/gm, '');
  });
  const before = text.slice(0, found[0].index);
  const comment = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/.exec(before)?.[0].trim() ?? '';
  return { comment: textOf(comment), code: bodies.join('\n') };
}

function apiPage() {
  const { exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const lines = [
    '# API',
    '',
    'What `gradscope` exports, from the doc comments of its sources. Made by `node scripts/api-docs.mjs`; do not edit.',
  ];
  const written = new Map();
  for (const [door, place] of Object.entries(exports)) {
    if (typeof place === 'string') continue;
    const title = `gradscope${door.slice(1)}`;
    const file = path.join(root, place.types);
    const text = fs.readFileSync(file, 'utf8');
    lines.push('', `## ${title}`, '', textOf(/\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? ''), '');
    for (const { name, from, isType } of exportsOf(text)) {
      if (!from.startsWith('.')) {
        lines.push(`### ${name}`, '', `From the package \`${from}\`.`, '');
        continue;
      }
      const source = path.join(path.dirname(file), from.replace(/\.js$/, '.d.ts'));
      const key = `${source}\n${name}`;
      if (written.has(key)) {
        lines.push(`### ${name}`, '', `As in \`${written.get(key)}\`.`, '');
        continue;
      }
      written.set(key, title);
      const declared = declarationOf(fs.readFileSync(source, 'utf8'), name);
      if (declared === null)
        throw new Error(`${source}: ${isType ? 'type' : 'value'} ${name} is not declared there`);
      const code = declared.code.split('\n');
      // The definitions of all tables are those of docs/file-format.md.
      const shown = code.length > 120 ? [...code.slice(0, 12), '// ...'] : code;
      lines.push(`### ${name}`, '', ...(declared.comment === '' ? [] : [declared.comment, '']));
      lines.push('```ts', ...shown, '```', '');
    }
  }
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

const text = apiPage();
if (!process.argv.includes('--check')) fs.writeFileSync(page, text);
else if (!fs.existsSync(page) || fs.readFileSync(page, 'utf8') !== text) {
  process.stderr.write(
    'docs/api.md is not what the declarations say; write it with: node scripts/api-docs.mjs\n',
  );
  process.exitCode = 1;
}
