import { nodeFileSystem } from '../store/file-system.js';
import type { Dimensions, TableDefinition } from '../store/columns.js';
import { finalizeTable } from '../store/finalize.js';
import { tables, type RunMetadata } from '../store/schemas.js';
import { filePath, streamPath } from '../store/table-paths.js';
import { TableWriter } from '../store/table-writer.js';
import { withoutEmbeddings } from '../store/panel-names.js';
import { panelAlignment } from '../probe/panel/alignment.js';
import type { TensorProducts } from '../probe/panel/panel-gram.js';
import type { Panel } from '../probe/panel/panel.js';
import type { DrawKind, MinibatchNorms } from '../probe/minibatch-norms.js';
import type { TransferEffect } from '../probe/transfer.js';

/** A checkpoint that is probed. */
export interface ProbePlace {
  /** Number of the stage that it belongs to. */
  readonly stage: number;
  /** Updates before it. */
  readonly step: number;
}

const written = [tables.alignment, tables.panel_gram, tables.penalty, tables.transfer] as const;

/** Tables that probes write into a run folder; earlier ones are replaced. */
export class ProbeTables {
  private readonly alignment: TableWriter<typeof tables.alignment>;
  private readonly panelGram: TableWriter<typeof tables.panel_gram>;
  private readonly penalty: TableWriter<typeof tables.penalty>;
  private readonly transfer: TableWriter<typeof tables.transfer>;

  /** Throws a UserError when the folder cannot be written. */
  constructor(
    private readonly folder: string,
    dimensions: Dimensions,
    metadata: RunMetadata,
  ) {
    for (const { name } of written) {
      nodeFileSystem.remove(filePath(folder, name));
      nodeFileSystem.remove(streamPath(folder, name));
    }
    const create = <D extends TableDefinition>(table: D): TableWriter<D> =>
      TableWriter.create({ folder, table, dimensions, metadata });
    this.alignment = create(tables.alignment);
    this.panelGram = create(tables.panel_gram);
    this.penalty = create(tables.penalty);
    this.transfer = create(tables.transfer);
  }

  writeAlignment(place: ProbePlace, panel: Panel, products: ReadonlyMap<string, TensorProducts>): void {
    const writer = this.alignment;
    for (const [tensor, own] of products) {
      for (const { set, pairing, definitions, ...values } of panelAlignment(panel, own)) {
        const entity = panel.entities[set.entity]!;
        const row = writer.reserve(1);
        writer.column('stage')[row] = place.stage;
        writer.column('step')[row] = place.step;
        writer.column('subset')[row] = writer.indexOf('subset', entity.subset);
        writer.column('variable')[row] = entity.variable;
        writer.column('questions')[row] = writer.indexOf('questions', set.kind);
        writer.column('pairing')[row] = writer.indexOf('pairing', pairing);
        writer.column('definitions')[row] = definitions;
        writer.column('tensor')[row] = writer.indexOf('tensor', tensor);
        writer.column('inner')[row] = values.inner;
        writer.column('norm_definition')[row] = values.normDefinition;
        writer.column('norm_questions')[row] = values.normQuestions;
        writer.column('cosine')[row] = values.cosine ?? NaN;
        writer.column('pairwise_cosine')[row] = values.pairwiseCosine ?? NaN;
      }
    }
    writer.flush();
  }

  writeGram(place: ProbePlace, panel: Panel, products: ReadonlyMap<string, TensorProducts>): void {
    const writer = this.panelGram;
    for (const tensor of ['total', withoutEmbeddings]) {
      const own = products.get(tensor);
      if (own === undefined) continue;
      const questions = own.questionNorm2.length;
      panel.definitionKinds.forEach((kind, k) => {
        panel.entities.forEach((entity, e) => {
          const definition = k * panel.entities.length + e;
          const row = writer.reserve(1);
          writer.column('stage')[row] = place.stage;
          writer.column('step')[row] = place.step;
          writer.column('tensor')[row] = writer.indexOf('tensor', tensor);
          writer.column('subset')[row] = writer.indexOf('subset', entity.subset);
          writer.column('variable')[row] = entity.variable;
          writer.column('definition')[row] = writer.indexOf('definition', kind);
          writer.column('norm2')[row] = own.definitionNorm2[definition]!;
          writer
            .column('inner')
            .push(own.inner.subarray(definition * questions, (definition + 1) * questions));
          writer.column('question_norm2').push(own.questionNorm2);
        });
      });
    }
    writer.flush();
  }

  writePenalty(
    place: ProbePlace,
    kind: DrawKind,
    draw: number,
    norms: readonly MinibatchNorms[],
    population: { readonly examples: number; readonly exampleNorm2: number; readonly fullNorm2: number },
  ): void {
    const writer = this.penalty;
    for (const { batchSize, minibatches, norm2 } of norms) {
      const row = writer.reserve(1);
      writer.column('stage')[row] = place.stage;
      writer.column('step')[row] = place.step;
      writer.column('sampler')[row] = writer.indexOf('sampler', kind);
      writer.column('draw')[row] = draw;
      writer.column('batch_size')[row] = batchSize;
      writer.column('minibatches')[row] = minibatches;
      writer.column('norm2')[row] = norm2;
      writer.column('example_norm2')[row] = population.exampleNorm2;
      writer.column('full_norm2')[row] = population.fullNorm2;
      writer.column('examples')[row] = population.examples;
    }
    writer.flush();
  }

  writeTransfer(
    place: ProbePlace,
    panel: Panel,
    { inner, questionNorm2 }: TensorProducts,
    effects: readonly TransferEffect[],
  ): void {
    const writer = this.transfer;
    const { questionsPerSet: size } = panel;
    for (const { definition, set, stepSize, loss, actual } of effects) {
      const entity = panel.entities[panel.questionSets[set]!.entity]!;
      const kind = panel.definitionKinds[Math.floor(definition / panel.entities.length)]!;
      const first = definition * questionNorm2.length + set * size;
      const product = inner.subarray(first, first + size).reduce((sum, value) => sum + value, 0) / size;
      const row = writer.reserve(1);
      writer.column('stage')[row] = place.stage;
      writer.column('step')[row] = place.step;
      writer.column('subset')[row] = writer.indexOf('subset', entity.subset);
      writer.column('variable')[row] = entity.variable;
      writer.column('definition')[row] = writer.indexOf('definition', kind);
      writer.column('step_size')[row] = stepSize;
      writer.column('predicted')[row] = -stepSize * product;
      writer.column('actual')[row] = actual;
      writer.column('loss')[row] = loss;
    }
    writer.flush();
  }

  /** Rewrites the streams as Arrow files. */
  async finish(): Promise<void> {
    this.close();
    for (const { name } of written) await finalizeTable(this.folder, name);
  }

  close(): void {
    for (const writer of [this.alignment, this.panelGram, this.penalty, this.transfer]) writer.close();
  }
}
