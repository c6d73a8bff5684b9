// `npm run docs`: writes what the definitions of tables, probes, studies, views and keys say into the marked blocks of
// docs/*.md and into src/cli/names.ts. test/docs.test.ts asks that they are not stale.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { internalizationDesign } from '../data/internalization-design.js';
import { bandInterval } from '../src/analysis/inference/equivalence.js';
import { studies } from '../src/analysis/studies/registry.js';
import type { ClaimSpec, Study } from '../src/analysis/study.js';
import type { QuantitySpec, SectionSpec } from '../src/analysis/section.js';
import { sweepTable } from '../src/analysis/sweep/table.js';
import { verdictTable } from '../src/analysis/sweep/verdict-table.js';
import type { ConfigKey } from '../src/config/reference.js';
import { configKeysOf } from '../src/run/experiment-module.js';
import { probes } from '../src/probe/registry.js';
import { formatNumber, formatPValue } from '../src/report/text/numbers.js';
import type { ProbeSpec } from '../src/probe/probe.js';
import type { Column, TableDefinition } from '../src/store/columns.js';
import { analysisTables } from '../src/store/tables/analysis.js';
import { tables } from '../src/store/tables/registry.js';
import { bindings, groupTitles, showKey } from '../tui/keys/bindings.js';
import type { ViewSpec } from '../tui/view/context.js';
import { views } from '../tui/views/registry.js';
import type { CausalResults, Shown } from './causal-results.js';

/** What the generated texts are made of. */
export interface Definitions {
  readonly tables: Readonly<Record<string, TableDefinition>>;
  readonly probes: readonly Pick<ProbeSpec, 'name' | 'tables'>[];
  readonly studies: readonly Study[];
  readonly views: readonly ViewSpec[];
}

/** The registries of the program. */
export const definitions: Definitions = { tables, probes, studies, views };

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|');

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Values of a dictionary that are the same in every run; none where they depend on it. */
function fixedValues({ values }: Column): readonly string[] {
  return typeof values === 'object' ? values : [];
}

function columnRows({ columns, optionalColumns = {}, groupColumns }: TableDefinition): string[][] {
  const some = Object.entries(optionalColumns).flatMap(([set, own]) =>
    Object.entries(own).map(([name, column]): [string, Column] => [
      name,
      {
        ...column,
        description: `${column.description} Only in runs with ${set === 'gradient' ? 'an intervention on gradients' : code(set)}.`,
      },
    ]),
  );
  const rows = [...Object.entries(columns), ...some].map(([name, column]) => {
    const values = fixedValues(column).map(code).join(', ');
    return [
      code(name),
      column.kind + (column.nullable ? ', nullable' : ''),
      column.unit,
      column.description + (values === '' ? '' : ` Values: ${values}.`),
    ];
  });
  if (groupColumns === undefined) return rows;
  const { prefix, unit, description } = groupColumns;
  return [...rows, [code(`${prefix}<group>`), 'int32', unit, description(code('<group>'))]];
}

const columnsOf = (own: readonly TableDefinition[]): string =>
  own
    .map((table) => {
      const rows = markdownTable(['column', 'kind', 'unit', 'what it is'], columnRows(table));
      return `#### ${code(table.name)}\n\n${rows}`;
    })
    .join('\n\n');

const rowOf = ({ row }: TableDefinition): string => row.replace(/^one /, '');

function tablesOf(own: readonly TableDefinition[], probeOf: (table: string) => string | null): string {
  const isProbed = own.some(({ name }) => probeOf(name) !== null);
  const rows = own.map((table) => [
    code(table.name),
    rowOf(table),
    table.when ?? '',
    ...(isProbed ? [code(probeOf(table.name) ?? '')] : []),
  ]);
  const head = ['table', 'a row is', 'written', ...(isProbed ? ['by the probe'] : [])];
  return `${markdownTable(head, rows)}\n\n${columnsOf(own)}`;
}

const percent = (share: number): string => `${100 * share} %`;

function prediction({ predicted, threshold = 0, band }: ClaimSpec): string {
  if (predicted === 'none') {
    const [low, high] = bandInterval(band ?? 0);
    return `between ${percent(low)} and ${percent(high)}`;
  }
  const side = predicted === 'positive' ? 'above' : 'below';
  return `${side} ${threshold === 0 ? 'its null' : threshold}`;
}

function quantitiesOf({ quantities }: SectionSpec): readonly QuantitySpec[] {
  if (typeof quantities === 'function') return [];
  return 'ofDesign' in quantities ? quantities.ofDesign(internalizationDesign) : quantities;
}

function sectionText(section: SectionSpec): string {
  const title = typeof section.title === 'string' ? section.title : section.title(internalizationDesign);
  const quantities = quantitiesOf(section);
  const head = `#### ${code(section.id)}\n\n${title}.`;
  if (quantities.length === 0) return `${head} Its quantities depend on the run.`;
  const rows = quantities.map(({ id, label, unit, null: against }) => [
    code(`${section.id}.${id}`),
    label,
    unit,
    against?.label ?? '',
  ]);
  return `${head}\n\n${markdownTable(['quantity', 'label', 'unit', 'null'], rows)}`;
}

const resultsFolder = 'docs/experiments/causal';

/** Results of the causal studies that are kept in the docs, by the name of the sweep. */
function causalResults(): CausalResults[] {
  if (!fs.existsSync(resultsFolder)) return [];
  return fs
    .readdirSync(resultsFolder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => JSON.parse(fs.readFileSync(path.join(resultsFolder, name), 'utf8')) as CausalResults);
}

/** An estimate with its interval, as the command line prints them. */
function shownCells({ estimate, interval }: Shown): string {
  if (estimate === null) return 'absent';
  const ends = interval === null ? '' : ` [${interval.map((end) => formatNumber(end, true)).join(', ')}]`;
  return `${formatNumber(estimate, true)}${ends}`;
}

function verdictsOf({ verdicts }: CausalResults): string {
  return markdownTable(
    [
      'prediction',
      'quantity',
      'contrast',
      'predicted',
      'estimate [95 % interval]',
      'p, Holm',
      'seeds',
      'verdict',
    ],
    verdicts.map((own) => [
      code(own.id),
      code(own.quantity),
      own.contrast,
      own.predicted + (own.band === null ? '' : `, band ${own.band}`),
      shownCells(own),
      formatPValue(own.holm),
      String(own.seeds),
      `**${own.verdict}**` + (own.mark === null ? '' : ` (${own.mark})`),
    ]),
  );
}

const armColumns = {
  'internalization.strongGap': 'strong gap',
  'alignment.tagSwapGap.all': 'tag-swap gap',
  'internalization.weakGap': 'weak gap',
  'training.loss': 'training loss',
  'training.updates': 'updates',
  'training.distance': 'distance',
} as const;

function armsOf({ arms }: CausalResults): string {
  const ids = Object.keys(armColumns).filter((id) => arms.some(({ quantities }) => id in quantities));
  return markdownTable(
    ['arm', 'seeds', ...ids.map((id) => armColumns[id as keyof typeof armColumns])],
    arms.map(({ name, quantities }) => [
      code(name),
      String(quantities['internalization.strongGap']?.seeds ?? 0),
      ...ids.map((id) => {
        const own = quantities[id];
        if (own === undefined) return '';
        return id.startsWith('training.')
          ? own.estimate === null
            ? ''
            : formatNumber(own.estimate)
          : shownCells(own);
      }),
    ]),
  );
}

/** Verdicts and arms of every study with results: blocks `verdicts-<sweep>` and `arms-<sweep>`. */
function causalBlocks(): Record<string, string> {
  return Object.fromEntries(
    causalResults().flatMap((results) => [
      [`verdicts-${results.sweep}`, verdictsOf(results)],
      [`arms-${results.sweep}`, armsOf(results)],
    ]),
  );
}

/** The blocks by name, as markdown that is not yet formatted. */
/** A table of the keys of each part of an experiment file. */
function configPage(): string {
  const keys = configKeysOf(null);
  const parts = keys.filter(({ path: own }) => !/[.[]/.test(own));
  return parts
    .map((part) => {
      const below = keys.filter(
        ({ path: own }) => /^[.[]/.test(own.slice(part.path.length)) && own.startsWith(part.path),
      );
      const head = `## ${part.path}\n\n${capitalised(part.description)}: ${takesOf(part)}.`;
      if (below.length === 0) return head;
      const rows = below.map((key) => [
        code(key.path) + (key.of.length === 0 ? '' : ` (${key.of.join(', ')})`),
        key.takes,
        key.default === null ? 'must be given' : code(key.default),
        key.description,
      ]);
      return `${head}\n\n${markdownTable(['key', 'takes', 'by default', 'what it means'], rows)}`;
    })
    .join('\n\n');
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const takesOf = (key: ConfigKey): string =>
  key.takes + (key.default === null ? ', must be given' : `, by default ${code(key.default)}`);

export function blocks({ tables: all, probes: own, studies: asked, views: shown }: Definitions) {
  const probeOf = (table: string): string | null =>
    own.find((probe) => probe.tables.some(({ name }) => name === table))?.name ?? null;
  const [probed, logged] = [true, false].map((is) =>
    Object.values(all).filter(({ name }) => (probeOf(name) !== null) === is),
  );
  const claims = asked.flatMap((study) => study.claims ?? []);
  const checks = asked.flatMap((study) => study.checks ?? []);
  const analysed = Object.values<TableDefinition>(analysisTables);
  return {
    tables: tablesOf(logged!, () => null),
    'probe-tables': tablesOf(probed!, probeOf),
    'analysis-tables': `${markdownTable(
      ['table', 'a row is'],
      analysed.map((table) => [code(table.name), rowOf(table)]),
    )}\n\n${columnsOf(analysed)}`,
    'sweep-table': columnsOf([sweepTable, verdictTable]),
    claims: markdownTable(
      ['claim', 'what it says', 'quantity', 'predicted', 'about the tag'],
      claims.map((claim) => [
        code(claim.id),
        claim.claim,
        claim.quantity.endsWith('.') ? `every ${code(`${claim.quantity}<...>`)}` : code(claim.quantity),
        prediction(claim),
        claim.aboutTags === true ? 'yes' : 'no',
      ]),
    ),
    checks: markdownTable(
      ['check', 'what it says', 'quantity', 'passes'],
      checks.map(({ id, check, quantity, tolerance, of }) => [
        code(id),
        check,
        code(quantity),
        `at most ${percent(tolerance)}, ${of === 'seed' ? 'every seed' : 'mean over seeds'}`,
      ]),
    ),
    sections: asked
      .flatMap(({ sections }) => sections)
      .map(sectionText)
      .join('\n\n'),
    views: markdownTable(
      ['key', 'view', 'answers'],
      shown.map(({ id, question }, i) => [i < 9 ? code(String(i + 1)) : '', code(id), question]),
    ),
    keys: markdownTable(
      ['keys', 'do'],
      [
        [`${code('1')} to ${code('9')}`, 'the first nine views'],
        ...groupTitles.flatMap(([group]) =>
          bindings
            .filter((binding) => binding.group === group)
            .map(({ keys, help }) => [keys.map((key) => code(showKey(key))).join(' '), help]),
        ),
      ],
    ),
    ...causalBlocks(),
    'config-keys': configPage(),
  };
}

/** The pages with blocks. */
export const pages = [
  'docs/file-format.md',
  'docs/method.md',
  'docs/tui.md',
  'docs/experiments/causal.md',
  'docs/config.md',
] as const;

/** Names of the views and probes in a module of their own, which help texts load without loading what they name. */
export const namesFile = 'src/cli/names.ts';

const block = /(<!-- generated: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g;

async function formatted(text: string, file: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}

/** A page with its blocks written anew. Throws where it asks for a block that there is not. */
export async function writtenPage(page: string, text: string, from: Definitions): Promise<string> {
  const texts: Readonly<Record<string, string>> = blocks(from);
  const filled = text.replaceAll(block, (_, begin: string, name: string, end: string) => {
    const own = texts[name];
    if (own === undefined)
      throw new Error(`${page}: no block ${name}; there are ${Object.keys(texts).join(', ')}`);
    return `${begin}\n${own}\n\n${end}`;
  });
  return formatted(filled, page);
}

/** The module of names. */
export function writtenNames({ probes: own, views: shown }: Definitions): Promise<string> {
  const list = own.map(({ name, tables: written }) => ({ name, tables: written.map((table) => table.name) }));
  return formatted(
    `// Made by \`npm run docs\` from the registries; do not edit. For help texts, which load nothing else.

/** Views of the browser. */
export const viewNames = ${JSON.stringify(shown.map(({ id }) => id))} as const;

/** Probes with the tables that they write. */
export const probeNames = ${JSON.stringify(list)} as const;
`,
    namesFile,
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const page of pages)
    fs.writeFileSync(page, await writtenPage(page, fs.readFileSync(page, 'utf8'), definitions));
  fs.writeFileSync(namesFile, await writtenNames(definitions));
}
