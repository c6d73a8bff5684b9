import { describe, expect, it } from 'vitest';
import { formatVersion } from '../../src/store/format.js';
import { makeSchema } from '../../src/store/table-schema.js';
import { tableNames, tables } from '../../src/store/tables/registry.js';
import { dimensions, everyKind } from './support.js';

describe('makeSchema', () => {
  it('puts version, table, units and the facts of the run into the metadata', () => {
    const { schema } = makeSchema(tables.gradients, dimensions, { seeds: '[3]', loss_reduction: 'mean' });
    expect(Object.fromEntries(schema.metadata)).toEqual({
      'gradscope.format_version': String(formatVersion),
      'gradscope.table': 'gradients',
      'gradscope.units': JSON.stringify({
        step: 'step',
        norm2: 'nats^2/parameter^2',
        example_norm2: 'nats^2/parameter^2',
      }),
      seeds: '[3]',
      loss_reduction: 'mean',
    });
    const step = schema.fields[1];
    expect(step?.metadata.get('unit')).toBe('step');
    expect(step?.metadata.get('description')).toBe('Optimizer step, counted from 1 over the whole run.');
  });

  it('keeps its own keys for itself', () => {
    expect(() => makeSchema(tables.steps, dimensions, { 'gradscope.table': 'x' })).toThrow(
      'run metadata: the key gradscope.table belongs to the store',
    );
  });

  it('has the dictionaries of the run, with the sum over tensors and the whole minibatch first', () => {
    const { columns } = makeSchema(tables.gram, dimensions);
    const valuesOf = (name: string) => columns.find((column) => column.name === name)?.values;
    expect(valuesOf('tensor')).toEqual(['total', 'embedding', 'h.0.attn', 'h.0.mlp']);
    expect(valuesOf('group_a')).toEqual(['minibatch', 'qd1consis/definition', 'qd1consis/qa', 'q/qa']);
    expect(valuesOf('group_b')).toEqual(valuesOf('group_a'));
  });

  it('has one column a group in steps', () => {
    const names = makeSchema(tables.steps, dimensions).columns.map((column) => column.name);
    expect(names.slice(-3)).toEqual([
      'examples_qd1consis_definition',
      'examples_qd1consis_qa',
      'examples_q_qa',
    ]);
  });

  it('refuses what would make a table ambiguous', () => {
    expect(() => makeSchema(tables.steps, { ...dimensions, groups: ['q/qa', 'q-qa'] })).toThrow(
      'table steps: two columns are named examples_q_qa',
    );
    expect(() => makeSchema(tables.metrics, { ...dimensions, testSets: ['a', 'b', 'a'] })).toThrow(
      "table metrics, column set: the dictionary holds 'a' twice",
    );
    expect(() => makeSchema(tables.sketches, { ...dimensions, sketchSize: 0 })).toThrow(
      'table sketches, column sketch: the list size is 0, not a positive integer',
    );
  });

  it('gives every kind its Arrow type, with items that are never null', () => {
    const { schema } = makeSchema(everyKind, dimensions);
    expect(schema.fields.map((field) => field.toString())).toMatchInlineSnapshot(`
      [
        "i32: Int32",
        "i32_null: Int32",
        "f64: Float64",
        "f64_null: Float64",
        "f32: Float32",
        "f32_null: Float32",
        "flag: Bool",
        "text: Utf8",
        "word: Dictionary<Int32, Utf8>",
        "triple: FixedSizeList[3]<Float32>",
        "f32s: List<Float32>",
        "i32s: List<Int32>",
        "f64s: List<Float64>",
      ]
    `);
    for (const field of schema.fields) {
      for (const child of field.type.children ?? []) expect(child.nullable).toBe(false);
    }
  });
});

describe('the registry', () => {
  it('names each table by its key, and each column in snake_case with a sentence', () => {
    for (const name of tableNames) {
      expect(tables[name].name).toBe(name);
      for (const column of makeSchema(tables[name], dimensions).columns) {
        expect(column.name).toMatch(/^[a-z][a-z0-9_]*$/);
        expect(column.description).toMatch(/^[A-Z].*\.$/);
      }
    }
  });

  it('holds the tables and columns that are documented', () => {
    const outline = tableNames.map(
      (name) =>
        `${name}: ${makeSchema(tables[name], dimensions)
          .columns.map((column) => `${column.name} ${column.kind}${column.nullable ? '?' : ''}`)
          .join(', ')}`,
    );
    expect(outline).toMatchInlineSnapshot(`
      [
        "steps: stage dictionary, step int32, stage_step int32, epoch float64, learning_rate float64, batch_size int32, loss float64, grad_norm float64, clip_factor float64, update_norm float64?, step_ms float64, log_ms float64, examples_qd1consis_definition int32, examples_qd1consis_qa int32, examples_q_qa int32",
        "batches: stage dictionary, step int32, stage_step int32, examples list-int32, images list-int32",
        "examples: example int32, group dictionary, subset dictionary, kind dictionary, variable int32, name utf8, entity utf8, tag int32?, text utf8, tokens list-int32, positions list-int32, labels list-int32, weights list-float32, digits list-int32, strip list-int32, probability float64?",
        "cooccurrence: stage dictionary, step int32, stage_step int32, matched int32, mismatched int32, assigned int32?",
        "gradients: stage dictionary, step int32, group dictionary, tensor dictionary, norm2 float64, example_norm2 float64?",
        "gram: stage dictionary, step int32, tensor dictionary, group_a dictionary, group_b dictionary, inner float64, cosine float64?",
        "sketches: stage dictionary, step int32, group dictionary, tensor dictionary, sketch fixed-list-float32",
        "vectors: stage dictionary, step int32, group dictionary, tensor dictionary, chunk int32, offset int32, values list-float32",
        "metrics: stage dictionary, step int32, epoch float64, set dictionary, subset dictionary, metric dictionary, value float64, n int32, standard_error float64?",
        "alignment: stage dictionary, step int32, subset dictionary, variable int32, questions dictionary, pairing dictionary, definitions int32, tensor dictionary, inner float64, norm_definition float64, norm_questions float64, cosine float64?, pairwise_cosine float64?",
        "token_alignment: stage dictionary, step int32, subset dictionary, variable int32, questions dictionary, pairing dictionary, token_group dictionary, tensor dictionary, inner float64, norm_part float64, cosine_part float64?, cosine float64?",
        "panel_tokens: example int32, subset dictionary, variable int32, role dictionary, place int32, kind dictionary, text utf8, token int32?, position int32?, asked bool",
        "panel_gram: stage dictionary, step int32, tensor dictionary, subset dictionary, variable int32, definition dictionary, norm2 float64, inner list-float64",
        "panel_questions: stage dictionary, step int32, tensor dictionary, question int32, subset dictionary, variable int32, questions dictionary, norm2 float64",
        "entity_gram: stage dictionary, step int32, tensor dictionary, vector int32, subset dictionary, variable int32, role dictionary, inner list-float64",
        "penalty: stage dictionary, step int32, sampler dictionary, draw int32, batch_size int32, minibatches int32, norm2 float64, example_norm2 float64, full_norm2 float64, examples int32, rated_norm2 float64, rated_example_norm2 float64, rated_full_norm2 float64",
        "landscape: stage dictionary, step int32, examples int32, loss float64, loss_gradient_norm float64, gamma float64, variance_gradient_norm float64, variance_loss_cosine float64?, gsnr float64?, lambda_max float64, lambda_change float64, lambda_examples int32, rated_loss_gradient_norm float64, rated_gamma float64, rated_variance_gradient_norm float64, rated_lambda_max float64",
        "epoch_drift: stage dictionary, step int32, learning_rate float64, minibatches int32, batch_size int32, measured_norm float64, predicted_norm float64, projection float64?, cosine float64?",
        "forces: stage dictionary, step int32, force dictionary, subset dictionary, questions dictionary, pairing dictionary, tensor dictionary, pairs int32, inner float64, cosine float64?, inner_rate float64, cosine_rate float64?",
        "force_ledger: stage dictionary, step int32, updates int32, subset dictionary, questions dictionary, pairing dictionary, tensor dictionary, pairs int32, inner float64, cosine float64?, inner_change float64, inner_first float64, inner_second float64, cosine_change float64?, cosine_first float64?, cosine_second float64?",
        "transfer: stage dictionary, step int32, subset dictionary, variable int32, asked int32, definition dictionary, update dictionary, step_size float64, predicted float64, curvature float64, actual float64, loss float64, norm_update float64, norm_questions float64, cosine float64?, preconditioned_cosine float64?",
        "transfer_path: stage dictionary, step int32, subset dictionary, variable int32, seen bool, predicted float64, midpoint float64, own float64, same_tag float64, other_tag float64, loss float64, start_loss float64",
        "retrained: change dictionary, order int32, changed_subset dictionary, changed int32?, asked_subset dictionary, asked int32, loss float64, margin float64, accuracy float64, losses list-float32",
        "retrain_halves: half int32, variables list-int32",
        "retrain_predictions: subset dictionary, variable int32, definition dictionary, asked_subset dictionary, asked int32, inner_product float64, cosine float64?, one_step float64, checkpoints float64, path_integral float64?, tokens int32",
        "retrain_scores: change dictionary, scope dictionary, predictor dictionary, score float64?, low float64?, high float64?, units int32, scores list-float64",
        "factors: stage dictionary, step int32, example int32, subset dictionary, variable int32, role dictionary, tensor dictionary, use int32, kind dictionary, rows int32, left list-float32, ids list-int32, right list-float32",
        "activations: stage dictionary, step int32, example int32, subset dictionary, variable int32, role dictionary, position int32, site utf8, values list-float32",
        "events: step int32, time float64, kind dictionary, message utf8",
      ]
    `);
  });
});
