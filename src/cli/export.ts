import { Command } from 'commander';
import { UserError } from '../../data/errors.js';
import { shellWord } from '../../data/shell-word.js';
import { print, tell } from './output.js';
import { formatDuration, standardError } from './progress.js';
import { StatusLine } from './status-line.js';

interface Flags {
  readonly model?: string;
  readonly table?: string;
  readonly out: string;
  readonly columns?: string;
  readonly where: readonly string[];
  readonly config: readonly string[];
  readonly exchanged?: boolean;
}

const listed = (value: string, before: readonly string[]): string[] => [...before, value];

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'write a table of any number of runs as one file, or the parameters of a run as a model folder',
    )
    .argument('[folders...]', 'with --table: run folders, or folders that hold runs')
    .option('--table <name>', 'table of the runs: gram, gradients, steps, metrics, ... (docs/file-format.md)')
    .option('--model <run>', 'run folder (its last checkpoint), or the file of a checkpoint')
    .requiredOption(
      '--out <path>',
      'file that ends in .parquet, .arrow or .csv, or with --model a folder; must not be there',
    )
    .option('--columns <names>', 'columns of the table, with commas; all by default')
    .option('--where <condition>', "rows to keep: tensor=total, 'step>=100'; can be repeated", listed, [])
    .option('--config <key>', 'config key that becomes a column: data.alpha; can be repeated', listed, [])
    .option('--exchanged', 'also the halves of runs in which tags are exchanged')
    .addHelpText(
      'after',
      `
Examples:
  gradscope export runs/set-inclusion --table metrics --out metrics.parquet
  gradscope export runs/set-inclusion --table gram --where tensor=total --out gram.parquet
  gradscope export runs --table steps --columns step,loss,grad_norm --config data.alpha --config stages.0.batchSize --out steps.csv
  gradscope export --model runs/set-inclusion/paper-seed0 --out models/after-stage2

A table of runs begins with the columns run, name (of the config), seed, exchanged and the config keys. Parquet is read by pandas,
polars, DuckDB and R without an extension. Runs that are in progress are exported as far as they are.

A model folder holds config.json and model.safetensors in float32, and the tokenizer of the folder that the model came from. A
config reads it as model: { from: models/after-stage2 }, and transformers with from_pretrained.`,
    )
    .action(async (folders: string[], flags: Flags) => {
      if ((flags.model === undefined) === (flags.table === undefined))
        throw new UserError('export: give either --table with folders of runs, or --model with a run');
      if (flags.model !== undefined) await exportModelFolder(flags.model, flags.out);
      else process.exitCode = await exportRuns(folders, flags.table!, flags);
    });
}

async function exportModelFolder(model: string, out: string): Promise<void> {
  const { exportModel } = await import('../run/export-model.js');
  const { run, step, modelType, parameters, files } = await exportModel(model, out);
  print(
    `${out}: ${modelType} with ${parameters.toLocaleString('en-US')} parameters, those of ${run} after update ${step}; ` +
      files.join(', '),
  );
}

/** Returns the exit code: 1 where a run was left out. */
async function exportRuns(folders: readonly string[], table: string, flags: Flags): Promise<number> {
  if (folders.length === 0)
    throw new UserError('export: name the folders of the runs whose table is exported');
  const { exportTable } = await import('../export/export-table.js');
  const { parseCondition } = await import('../export/row-filter.js');
  const line = new StatusLine(standardError());
  const started = line.now();
  const { out } = flags;
  try {
    const { runs, rows, columns, bytes, leftOut } = await exportTable(
      {
        folders,
        table,
        out,
        columns: flags.columns === undefined ? null : flags.columns.split(',').map((name) => name.trim()),
        where: flags.where.map(parseCondition),
        config: flags.config,
        exchanged: flags.exchanged ?? false,
        command: ['gradscope', ...process.argv.slice(2)].map(shellWord).join(' '),
      },
      ({ run, runs: count, read, rows: total }) => {
        const seconds = line.now() - started;
        if (seconds < 2) return;
        line.show(
          () =>
            `run ${run} of ${count}  ${Math.floor((100 * read) / total)} %  ${Math.round(read / seconds).toLocaleString('en-US')} rows/s  ` +
            `${formatDuration(((total - read) * seconds) / read)} left`,
        );
      },
    );
    line.end();
    print(
      `${out}: table ${table} of ${runs} ${runs === 1 ? 'run' : 'runs'}, ${rows.toLocaleString('en-US')} rows, ` +
        `${(bytes / 1e6).toFixed(1)} MB; columns ${columns.join(', ')}`,
    );
    for (const problem of leftOut) tell(problem);
    return leftOut.length === 0 ? 0 : 1;
  } finally {
    line.end();
  }
}
