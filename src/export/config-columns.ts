import { UserError } from '../../data/errors.js';
import type { ExportedColumn } from './exported-columns.js';

/** A key of the config as a column: its value in each run, null where a run has none. */
export interface ConfigColumn {
  readonly column: ExportedColumn;
  /** `[run]` */
  readonly values: readonly (string | number | boolean | null)[];
}

/**
 * Keys such as `data.alpha` or `stages.0.batchSize` as columns: of numbers where all values are numbers, else of texts. Throws a
 * UserError for a key that no run has, and for one that holds a map or a list.
 *
 * @param configs `[run]` resolved config of each run
 */
export function configColumns(
  keys: readonly string[],
  configs: readonly Readonly<Record<string, unknown>>[],
): ConfigColumn[] {
  return keys.map((key): ConfigColumn => {
    const values = configs.map((config) => scalarAt(config, key));
    const known = values.filter((value) => value !== null);
    if (known.length === 0) {
      const [first] = configs;
      const names =
        first === undefined ? '' : `; keys are ${Object.keys(first).join(', ')} and those below them`;
      throw new UserError(`--config ${key}: no run has a value there${names}`);
    }
    const kind = known.every((value) => typeof value === 'number') ? 'float64' : 'text';
    return {
      column: {
        name: key,
        kind,
        element: null,
        unit: kind === 'text' ? '' : '1',
        description: `config key ${key}`,
      },
      values,
    };
  });
}

function scalarAt(config: unknown, key: string): string | number | boolean | null {
  let value = config;
  for (const part of key.split('.')) {
    if (typeof value !== 'object' || value === null) return null;
    value = Object.hasOwn(value, part) ? Reflect.get(value, part) : null;
  }
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  const below = Object.keys(value);
  throw new UserError(
    `--config ${key}: holds more than one value; name one of ${below.map((part) => `${key}.${part}`).join(', ')}`,
  );
}
