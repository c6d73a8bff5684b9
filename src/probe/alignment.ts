import { alignmentReader, type AlignmentReader } from './panel/alignment.js';
import { createFactorReader, type FactorReader } from './panel/factors.js';
import { panelProducts, type PanelProducts } from './panel/panel-gram.js';
import type { Panel } from './panel/panel.js';
import { totalTensor, withoutEmbeddings } from '../store/tables/common.js';
import { tables } from '../store/tables/registry.js';
import type { TableWriter } from '../store/table-writer.js';
import { writeFactors } from './alignment/factor-rows.js';
import { tokenPlaces, writeTokenGroups } from './alignment/token-groups.js';
import { writeTokens } from './alignment/token-rows.js';
import { probeBatch, ToolCache, type Moment, type ProbeSpec } from './probe.js';

/** Gradient products of a panel of variables: alignment by pairing, blocks of the Gram matrix, factors where wanted. */
export const alignmentProbe: ProbeSpec = {
  name: 'alignment',
  tables: [
    tables.alignment,
    tables.token_alignment,
    tables.panel_tokens,
    tables.panel_gram,
    tables.panel_questions,
    tables.entity_gram,
    tables.factors,
  ],
  create: () => {
    const readers = new ToolCache((model, blocks) => createFactorReader(model, blocks, probeBatch));
    const partReaders = new Map<number, ToolCache<FactorReader>>();
    const partReaderOf = (places: number): ToolCache<FactorReader> => {
      const known = partReaders.get(places);
      if (known !== undefined) return known;
      const made = new ToolCache((model, blocks) => createFactorReader(model, blocks, probeBatch, places));
      partReaders.set(places, made);
      return made;
    };
    return {
      begin: (run, open) => {
        const { panel, options, plan } = run;
        const alignment = open(tables.alignment);
        const gram = open(tables.panel_gram);
        const questions = open(tables.panel_questions);
        const entities = open(tables.entity_gram);
        const stored = options.factors ? open(tables.factors) : null;
        const alignmentOf = alignmentReader(panel);
        writeTokens(open(tables.panel_tokens), panel);
        const parts = open(tables.token_alignment);
        const tokens = tokenPlaces(panel, plan.data[0]!.shape);
        return (moment) => {
          const factors = readers.of(run, moment.blocks)(moment.values, panel);
          const products = panelProducts(panel, factors, plan.model, moment.end);
          writeAlignment(alignment, moment, panel, products, alignmentOf);
          // Blocks of the Gram matrix are 5 MB a checkpoint of the default panel: at the ends of stages only.
          if (moment.end) {
            writeGram(gram, moment, panel, products);
            writeQuestions(questions, moment, panel, products);
            writeEntities(entities, moment, panel, products);
            if (tokens !== null) {
              const reader = partReaderOf(tokens.places).of(run, moment.blocks);
              const definitions = { ...panel, size: panel.definitions };
              writeTokenGroups(
                parts,
                moment,
                { panel, model: plan.model, factors, products, alignmentOf, tokens },
                (weights) => reader(moment.values, definitions, weights),
              );
            }
          }
          if (stored !== null) writeFactors(stored, moment, panel, factors.uses);
          factors.dispose();
        };
      },
      dispose: () => {
        for (const own of [readers, ...partReaders.values()]) own.dispose();
      },
    };
  },
};

function writeAlignment(
  writer: TableWriter<typeof tables.alignment>,
  { stage, step }: Moment,
  panel: Panel,
  products: PanelProducts,
  alignmentOf: AlignmentReader,
): void {
  for (const [tensor, own] of products.tensors) {
    for (const { set, pairing, definitions, ...values } of alignmentOf(own)) {
      const entity = panel.entities[set.entity]!;
      writer.append({
        stage,
        step,
        subset: entity.subset,
        variable: entity.variable,
        questions: set.kind,
        pairing,
        definitions,
        tensor,
        inner: values.inner,
        norm_definition: values.normDefinition,
        norm_questions: values.normQuestions,
        cosine: values.cosine,
        pairwise_cosine: values.pairwiseCosine,
      });
    }
  }
  writer.flush();
}

function writeGram(
  writer: TableWriter<typeof tables.panel_gram>,
  { stage, step }: Moment,
  panel: Panel,
  products: PanelProducts,
): void {
  for (const tensor of [totalTensor, withoutEmbeddings]) {
    const own = products.tensors.get(tensor);
    const inner = products.grams.get(tensor)?.inner;
    if (own === undefined || inner === undefined) continue;
    const questions = own.questionNorm2.length;
    panel.definitionKinds.forEach((kind, k) => {
      panel.entities.forEach((entity, e) => {
        const definition = k * panel.entities.length + e;
        writer.append({
          stage,
          step,
          tensor,
          subset: entity.subset,
          variable: entity.variable,
          definition: kind,
          norm2: own.definitionNorm2[definition]!,
          inner: inner.subarray(definition * questions, (definition + 1) * questions),
        });
      });
    });
  }
  writer.flush();
}

function writeQuestions(
  writer: TableWriter<typeof tables.panel_questions>,
  { stage, step }: Moment,
  panel: Panel,
  products: PanelProducts,
): void {
  for (const tensor of [totalTensor, withoutEmbeddings]) {
    products.tensors.get(tensor)?.questionNorm2.forEach((norm2, question) => {
      const set = panel.questionSets[Math.floor(question / panel.questionsPerSet)]!;
      const entity = panel.entities[set.entity]!;
      writer.append({
        stage,
        step,
        tensor,
        question,
        subset: entity.subset,
        variable: entity.variable,
        questions: set.kind,
        norm2,
      });
    });
  }
  writer.flush();
}

function writeEntities(
  writer: TableWriter<typeof tables.entity_gram>,
  { stage, step }: Moment,
  { entities, definitionKinds, questionSets }: Panel,
  products: PanelProducts,
): void {
  const vectors = [
    ...definitionKinds.flatMap((role) => entities.map((entity) => ({ ...entity, role }))),
    ...questionSets.map(({ entity, kind }) => ({ ...entities[entity]!, role: kind })),
  ];
  for (const tensor of [totalTensor, withoutEmbeddings]) {
    const gram = products.grams.get(tensor)?.entities;
    if (gram === undefined) continue;
    vectors.forEach(({ subset, variable, role }, vector) => {
      writer.append({
        stage,
        step,
        tensor,
        vector,
        subset,
        variable,
        role,
        inner: gram.subarray(vector * vectors.length, (vector + 1) * vectors.length),
      });
    });
  }
  writer.flush();
}
