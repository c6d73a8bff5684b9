import fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { verdictTable } from '../../src/analysis/sweep/verdict-table.js';
import { sweepTable } from '../../src/analysis/sweep/table.js';
import { analysisTables, noDimensions } from '../../src/store/tables/analysis.js';
import { resolveColumns } from '../../src/store/columns.js';
import { tables } from '../../src/store/tables/registry.js';
import { units } from '../../src/store/units.js';
import { dimensions } from './support.js';

/** Units of the columns of every table by `table.column`, counts and plain numbers left out. */
function unitsOf(): Record<string, string> {
  const all = [
    ...Object.values(tables).map((table) => [table, dimensions] as const),
    ...Object.values({ ...analysisTables, sweep: sweepTable, verdicts: verdictTable }).map(
      (table) => [table, noDimensions] as const,
    ),
  ];
  const plain = new Set(['', '1', 'step', 'epoch', 'example', 'ms', 'value', 'seed']);
  return Object.fromEntries(
    all.flatMap(([table, own]) =>
      resolveColumns(table, own).flatMap(({ name, unit }) =>
        plain.has(unit) ? [] : [[`${table.name}.${name}`, unit] as const],
      ),
    ),
  );
}

const gradient2 = 'nats^2/parameter^2';
const gradient = 'nats/parameter';

it('every column that is no plain number has the unit of the reports', () => {
  const found = unitsOf();
  expect(found).toMatchObject({
    'steps.loss': 'nats',
    'steps.learning_rate': 'rate',
    'steps.grad_norm': gradient,
    'steps.update_norm': 'parameter',
    'gradients.norm2': gradient2,
    'gradients.example_norm2': gradient2,
    'gram.inner': gradient2,
    'sketches.sketch': gradient,
    'vectors.values': gradient,
    'metrics.value': 'nats (loss, margin) or 1 (others)',
    'alignment.inner': gradient2,
    'alignment.norm_definition': gradient,
    'panel_gram.inner': gradient2,
    'panel_questions.norm2': gradient2,
    'entity_gram.inner': gradient2,
    'penalty.norm2': gradient2,
    'penalty.full_norm2': gradient2,
    'landscape.loss': 'nats',
    'landscape.loss_gradient_norm': gradient,
    'landscape.gamma': gradient2,
    'landscape.variance_gradient_norm': 'nats^2/parameter^3',
    'landscape.lambda_max': 'nats/parameter^2',
    'epoch_drift.measured_norm': 'parameter',
    'transfer.predicted': 'nats',
    'transfer.norm_update': 'parameter',
    'transfer.norm_questions': gradient,
    'transfer_path.same_tag': 'nats',
    'quantities.estimate': 'unit of the quantity',
    'controls.difference': 'unit of the quantity',
    'seed_values.value': 'unit of the quantity',
    'entity_values.value': 'unit of the quantity',
    'penalty_curve.estimate': gradient2,
    'penalty_curve.norm_part': 'nats',
    'curves.value': 'unit of the curve',
    'sweep.mean': 'unit of the quantity',
    'verdicts.estimate': 'unit of the quantity',
  });
  // Cosines, shares and probabilities have none.
  for (const name of Object.keys(found))
    expect(name).not.toMatch(/cosine|\.p(?:_|$)|level|gsnr|projection|clip_factor/);
});

it('the reports have no other words for these units', () => {
  const files = ['src/analysis', 'src/analysis/measures', 'src/analysis/studies', 'tui/views'].flatMap(
    (folder) =>
      fs
        .readdirSync(folder, { recursive: folder !== 'src/analysis', encoding: 'utf8' })
        .map((name) => join(folder, name)),
  );
  const named = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => fs.readFileSync(file, 'utf8').match(/(?<=')nats?[^']*(?=')/g) ?? []);
  expect(named.length).toBeGreaterThan(20);
  const known = new Set<string>(Object.values(units));
  // A loss times or over a learning rate is no column of a table.
  expect(named.filter((unit) => !known.has(unit.replace(/(?: x |\/)rate$/, '')))).toEqual([]);
});
