import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../data/errors.js';
import type { ModuleFile } from '../../data/module-file.js';
import { importDefault } from '../store/import-module.js';
import type { SectionSpec } from './section.js';
import { sections } from './studies/registry.js';

/**
 * Types a study, a section of the report with quantities of a person's own, and returns it as it is. `gradscope analyze
 * --study ./mine.mjs` takes a module whose default export it is.
 *
 * @example
 * ```js
 * export default defineStudy({
 *   id: 'lossDrop',
 *   title: 'How far the loss falls',
 *   quantities: [{ id: 'drop', label: 'loss of the first step minus that of the last', unit: 'nats', null: null }],
 *   measure: async (run) => ({ drop: await dropOf(run) }),
 * });
 * ```
 */
export function defineStudy(study: SectionSpec): SectionSpec {
  return study;
}

/** A study from outside, with the module it comes from. */
export interface LoadedStudy {
  readonly study: SectionSpec;
  readonly module: ModuleFile;
}

const quantity = z.looseObject({ id: z.string(), label: z.string(), unit: z.string() });

const studyShape = z.object({
  id: z.string().regex(/^[a-z][A-Za-z0-9]*$/, 'expected letters and digits in camelCase'),
  title: z.string(),
  quantities: z.union([
    z.array(quantity),
    z.custom(
      (value) => typeof value === 'function',
      'expected a list of quantities, or a function that gives it',
    ),
  ]),
  measure: z.custom((measure) => typeof measure === 'function', 'expected a function'),
});

/**
 * Loads the modules of studies. Throws a UserError for one that is missing or no study, and for an id that is taken.
 *
 * @param files relative to the working directory
 */
export async function loadStudies(files: readonly string[]): Promise<LoadedStudy[]> {
  const loaded: LoadedStudy[] = [];
  for (const file of files) {
    const { value, module } = await importDefault(path.resolve(file), '--study');
    const study = asStudy(value, file);
    const isTaken = [...sections, ...loaded.map((own) => own.study)].some(({ id }) => id === study.id);
    if (isTaken)
      throw new UserError(`${file}: there is a study ${study.id} already; give this one another id`);
    loaded.push({ study, module });
  }
  return loaded;
}

/** Throws a UserError for a value that is no study; of its functions nothing more can be checked. */
function asStudy(value: unknown, file: string): SectionSpec {
  const { error } = studyShape.safeParse(value);
  if (error === undefined) return value as SectionSpec;
  const [issue] = error.issues;
  throw new UserError(
    `${file}: its default export is no study: ${issue!.path.join('.') || 'the value'}: ${issue!.message}; ` +
      'export default defineStudy({ id, title, quantities, measure })',
  );
}
