import type { Design } from '../../../../data/design.js';
import { designOf } from '../../../../data/internalization-design.js';
import { endOfQuestions } from '../../../../data/stage-roles.js';
import { tokenGroups, type TokenGroup } from '../../../store/tables/alignment.js';
import { totalTensor, withoutEmbeddings } from '../../../store/tables/common.js';
import { tables } from '../../../store/tables/registry.js';
import type { TypedTable } from '../../../store/typed-table.js';
import type { RunValue } from '../../quantity.js';
import { readTable } from '../../run-data.js';
import type { QuantitySpec, RunValues, SectionSpec } from '../../section.js';
import {
  jointNotes,
  meanOverEntities,
  panelCosines,
  tagSwapGap,
  tagSwapNull,
  type cosineColumns,
  type PanelCosines,
  type TensorPlace,
} from './cosines.js';

const columns = [
  'step',
  'subset',
  'variable',
  'questions',
  'pairing',
  'tensor',
  'token_group',
  'cosine_part',
] as const;

type TokenTable = TypedTable<typeof tables.token_alignment, (typeof columns)[number]>;

const sums = [
  ['all', totalTensor, 'all tensors'],
  ['withoutEmbeddings', withoutEmbeddings, 'excluding embeddings'],
] as const;

function quantityOf(group: TokenGroup, [id, , name]: (typeof sums)[number]): QuantitySpec {
  const key = `${group}.${id}`;
  return {
    id: key,
    label: `part of the tag-swap gap of new variables at the places of ${tokensOf(group)}, ${name}`,
    shortLabel: `${tokensOf(group)}, ${name}`,
    unit: '1',
    null: {
      kind: 'measured',
      label: 'the same part with definitions of other variables of the subset (mean of their cosines)',
      key: `${key}.null`,
    },
    controls: [{ id: 'untrained', label: 'the untrained network', key: `${key}.untrained` }],
    tagDifference: true,
  };
}

const tokensOf = (group: TokenGroup): string => (group === 'padding' ? 'padding' : `${group} tokens`);

/** The largest difference of parts from a whole that rounding explains: products are float32. */
export const partsTolerance = 1e-4;

/** The tag-swap gap of new variables, split by what the tokens of the definition are. */
export const alignmentByTokens: SectionSpec = {
  id: 'alignmentByTokens',
  title:
    'Alignment by token group: parts of the tag-swap gap of the cosine that definitions make at the places of their tags, variables, ' +
    'entities and other tokens, new variables (end of the stage with questions)',
  ids: () => ['*', 'sum'],
  probe: 'alignment',
  quantities: (_run, measured) => [
    ...tokenGroups
      .filter((group) => measured.some((own) => own[`${group}.all`] !== undefined))
      .flatMap((group) => sums.map((sum) => quantityOf(group, sum))),
    {
      id: 'sum',
      label: 'parts of the tag-swap gap by token group added up, minus the whole',
      shortLabel: 'parts added up - whole',
      unit: '1',
      null: { kind: 'zero', label: '0, they add up' },
    },
  ],
  notes: (_, run) => [
    'A parameter is used at every place of a text, and its gradient is the sum of what it gets there: the part of a token group is the ' +
      'sum over the places of its tokens. What predicts a token happens at the place of the token before it.',
    ...jointNotes(run),
  ],
  measure: async (run, reader) => {
    const [table, whole] = [await readTable(run, tables.token_alignment, columns), await reader.alignment()];
    if (table === null || whole === null || table.rows === 0) return null;
    const end = endOfQuestions(run.info);
    const design = designOf(run.info);
    const values: Record<string, RunValue> = {};
    for (const group of tokenGroups) {
      const own = partsOf(table, group, design);
      if (own !== null) Object.assign(values, measureGroup(own, group, end));
    }
    const gap = tagSwapGap(whole, { step: end, tensors: [totalTensor], questions: 'heldout' });
    const parts = tokenGroups.flatMap((group) => {
      const part = values[`${group}.all`];
      return Array.isArray(part) ? [meanOverEntities(part)] : [];
    });
    values['sum'] =
      typeof gap === 'string' ? gap : parts.reduce((sum, part) => sum + part, 0) - meanOverEntities(gap);
    return values;
  },
};

function measureGroup(parts: PanelCosines, group: TokenGroup, end: number): RunValues {
  return Object.fromEntries(
    sums.flatMap(([id, tensor]): [string, RunValue][] => {
      const place = (step: number): TensorPlace => ({ step, tensor, questions: 'heldout' });
      return [
        [`${group}.${id}`, tagSwapGap(parts, place(end))],
        [`${group}.${id}.null`, tagSwapNull(parts, place(end))],
        [`${group}.${id}.untrained`, tagSwapGap(parts, place(0))],
      ];
    }),
  );
}

/** Parts of cosines of one token group in the place of cosines; null where no definition has such a token. */
function partsOf({ rows, columns: all }: TokenTable, group: TokenGroup, design: Design): PanelCosines | null {
  const own = Array.from({ length: rows }, (_, row) => row).filter(
    (row) => all.token_group.text(row) === group,
  );
  if (own.length === 0) return null;
  const picked = (name: (typeof texts)[number]) => {
    const { values, indices } = all[name];
    const chosen = Int32Array.from(own, (row) => indices[row]!);
    return { values, indices: chosen, text: (row: number) => values[chosen[row]!]! };
  };
  const texts = ['subset', 'questions', 'pairing', 'tensor'] as const;
  return panelCosines(
    {
      rows: own.length,
      columns: {
        step: Int32Array.from(own, (row) => all.step[row]!),
        variable: Int32Array.from(own, (row) => all.variable[row]!),
        subset: picked('subset'),
        questions: picked('questions'),
        pairing: picked('pairing'),
        tensor: picked('tensor'),
        cosine: {
          values: Float64Array.from(own, (row) => all.cosine_part.values[row]!),
          isNull: (row: number) => all.cosine_part.isNull(own[row]!),
        },
      } satisfies Record<(typeof cosineColumns)[number], unknown>,
    },
    design,
  );
}
