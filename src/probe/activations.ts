import { UserError } from '../../data/errors.js';
import { tables } from '../store/tables/registry.js';
import type { TableWriter } from '../store/table-writer.js';
import { sitesNamed, type Site } from '../train/sites/site.js';
import { createActivationReader, textRows, type SiteActivations } from './activations/capture.js';
import { panelExamples, type Panel } from './panel/panel.js';
import { ToolCache, type Moment, type ProbeSpec } from './probe.js';

/** Activations of the examples of the panel, where they are asked for, as they are. */
export const activationsProbe: ProbeSpec = {
  name: 'activations',
  tables: [tables.activations],
  create: () => {
    const readers = new Map<string, ToolCache<ReturnType<typeof createActivationReader>>>();
    return {
      begin: (run, open) => {
        const { panel, options, plan, checkpoints } = run;
        if (options.activations.length === 0) return () => {};
        const sites = sitesNamed(options.activations, plan.model.sites ?? []);
        checkSize(panel, sites, checkpoints, options.activationBytes);
        const writer = open(tables.activations);
        const key = sites.map(({ name }) => name).join(' ');
        const reader =
          readers.get(key) ?? new ToolCache((model, blocks) => createActivationReader(model, blocks, sites));
        readers.set(key, reader);
        return (moment) => {
          for (const own of reader.of(run, moment.blocks)(moment.values, panel))
            writeActivations(writer, moment, panel, own);
        };
      },
      dispose: () => {
        for (const reader of readers.values()) reader.dispose();
      },
    };
  },
};

/** Throws a UserError for a table that would be larger than it may be. */
function checkSize(panel: Panel, sites: readonly Site[], checkpoints: number, mostBytes: number): void {
  const width = sites.reduce((sum, site) => sum + site.width, 0);
  const bytes = panel.size * textRows(panel.fields) * width * 4 * checkpoints;
  if (bytes <= mostBytes) return;
  throw new UserError(
    `--activations would write ${(bytes / 1e9).toFixed(1)} GB (${panel.size} examples, ${textRows(panel.fields)} positions, ` +
      `${sites.length} sites, ${checkpoints} checkpoints), more than ${mostBytes / 1e9} GB: name fewer sites, or give fewer ` +
      '--variables or --questions',
  );
}

/** Writes the activations of a panel at one site: the places at which the examples have a token that is read. */
function writeActivations(
  writer: TableWriter<typeof tables.activations>,
  { stage, step }: Moment,
  panel: Panel,
  { site, rows, values }: SiteActivations,
): void {
  panelExamples(panel).forEach(({ entity, role }, example) => {
    const { subset, variable } = panel.entities[entity]!;
    const pieces = panel.pieces(example);
    for (let position = 0; position < rows; position++) {
      if (pieces !== null && pieces.every((piece) => piece.position !== position)) continue;
      const first = (example * rows + position) * site.width;
      writer.append({
        stage,
        step,
        example,
        subset,
        variable,
        role,
        position,
        site: site.name,
        values: values.subarray(first, first + site.width),
      });
    }
  });
  writer.flush();
}
