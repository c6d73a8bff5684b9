import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readRunInfo } from '../../src/store/run-folder.js';
import { provenance } from '../../tui/views/config.js';
import { BrowserData } from '../../tui/data/browser-data.js';
import { nodeEnvironment } from '../../src/store/environment.js';
import { checkpointReached, commandLine } from '../support/command-line.js';
import { testEngine } from '../train/support/engine.js';
import { temporaryFolder, tiny } from './support.js';

const project = path.resolve('.');

/** Runs a printed command as a person would: pasted into a shell. */
function paste(command: string, folder = project) {
  const program = `npx() { shift; ${process.execPath} --import ${project}/node_modules/tsx/dist/esm/index.mjs ${project}/src/cli/main.ts "$@"; }`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `${program}\n${command}`], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      GRADSCOPE_ENGINE: testEngine,
      TSX_TSCONFIG_PATH: `${project}/tsconfig.json`,
    },
  });
  return { status, stdout, stderr };
}

/** The command that a message names after a word. */
function printed(text: string, after: string): string {
  const found = new RegExp(`${after}: (npx gradscope .*)`).exec(text)?.[1];
  if (found === undefined) throw new Error(`no command after "${after}" in\n${text}`);
  return found;
}

test('every command that is printed along the way does what it says, also in a folder with blanks and quotes', async () => {
  const root = path.join(temporaryFolder(), "it's my runs");
  const folder = path.join(root, 'set-inclusion', 'tiny-seed0');
  const settings = [
    ...tiny,
    'checkpoint.everySeconds=0.05',
    'stages.0.epochs=12',
    'evaluation.everyEpochs=10',
    'log.tier=off',
  ];
  const started = await commandLine(
    ['run', 'configs/set-inclusion-smoke.yaml', '--out', root, ...settings.flatMap((own) => ['--set', own])],
    { killed: (gone) => checkpointReached(folder, 5, gone), signal: 'SIGINT' },
  );
  expect(started.code).toBe(130);
  const resumed = paste(printed(started.stderr, 'continue with'));
  expect(resumed).toMatchObject({ status: 0 });
  expect(readRunInfo(folder).status).toBe('complete');

  const analysed = paste(printed(resumed.stderr, 'next'));
  expect(analysed).toMatchObject({ status: 0 });
  expect(analysed.stdout).toContain('Claims');

  const data = new BrowserData(root, nodeEnvironment);
  await data.refresh([]);
  const lines = provenance((await data.source(folder))!, Date.now());
  await data.close();
  const again = lines.find((line) => line.startsWith('again'))!.replace(/^again +/, '');
  const other = temporaryFolder();
  fs.mkdirSync(path.join(other, 'runs'));
  expect(paste(again, other)).toMatchObject({ status: 0 });
  expect(readRunInfo(path.join(other, 'runs', 'set-inclusion', 'tiny-seed0')).dataHash).toBe(
    readRunInfo(folder).dataHash,
  );
});
