import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listRuns } from '../../src/store/list-runs.js';
import { RunFolder } from '../../src/store/run-folder.js';
import { fakeEnvironment, newRun, temporaryFolder } from './support.js';

const alive = new Map([[10, 'a']]);

function addRun(root: string, path: string): RunFolder {
  return RunFolder.create(join(root, path), newRun, '', fakeEnvironment(10, alive));
}

/** Each run's path below the root, and its status or why it cannot be read. */
async function listed(root: string, limits = {}): Promise<(string | undefined)[][]> {
  const found = await listRuns(root, limits);
  return found.map(({ path, info, error }) => [path.slice(root.length + 1), info?.status ?? error?.message]);
}

describe('listRuns', () => {
  it('finds runs at any level, and says which cannot be read and why', async () => {
    const root = temporaryFolder();
    addRun(root, 'set-inclusion/seed-3').end('complete');
    addRun(root, 'set-inclusion/seed-4');
    addRun(root, 'single').end('interrupted');
    addRun(root, 'a/b/c/d/deep').end('complete');
    fs.mkdirSync(join(root, 'batch-size/seed-1'), { recursive: true });
    fs.writeFileSync(join(root, 'batch-size/seed-1/run.json'), '{');
    for (const [name, file] of [
      ['seed-2', 'steps.arrows'],
      ['seed-3', 'lock'],
    ]) {
      fs.mkdirSync(join(root, `batch-size/${name}`));
      fs.writeFileSync(join(root, `batch-size/${name}/config.yaml`), '');
      fs.writeFileSync(join(root, `batch-size/${name}/${file}`), '');
    }
    fs.mkdirSync(join(root, 'batch-size/seed-4/checkpoints'), { recursive: true });
    fs.writeFileSync(join(root, 'batch-size/seed-4/config.yaml'), '');
    fs.mkdirSync(join(root, 'empty/deeper/deepest'), { recursive: true });
    fs.writeFileSync(join(root, 'notes.txt'), '');
    const missing = (path: string): string[] => [
      path,
      `${root}/${path}/run.json: is missing; is this a run folder?`,
    ];
    expect(await listed(root)).toEqual([
      ['a/b/c/d/deep', 'complete'],
      ['batch-size/seed-1', expect.stringMatching(/seed-1\/run\.json: not JSON/)],
      missing('batch-size/seed-2'),
      missing('batch-size/seed-3'),
      missing('batch-size/seed-4'),
      ['set-inclusion/seed-3', 'complete'],
      ['set-inclusion/seed-4', 'running'],
      ['single', 'interrupted'],
    ]);
    expect(await listRuns(join(root, 'single'))).toHaveLength(1);
    await expect(listRuns(join(root, 'missing'))).rejects.toThrow(/missing: cannot be read \(ENOENT/);
  });

  it.each(['combined.arrow', 'steps.arrow', 'config.yaml', 'lock', 'metrics.arrows'])(
    'takes no folder for a run because of a file %s',
    async (name) => {
      const root = temporaryFolder();
      addRun(root, 'set-inclusion/seed-0').end('complete');
      for (const folder of ['', 'set-inclusion']) fs.writeFileSync(join(root, folder, name), '');
      expect(await listed(root)).toEqual([['set-inclusion/seed-0', 'complete']]);
    },
  );

  it('hides no run below a folder that looks like one', async () => {
    const root = temporaryFolder();
    addRun(root, 'set-inclusion/seed-0').end('complete');
    fs.writeFileSync(join(root, 'set-inclusion/run.json'), '{}');
    expect((await listed(root)).map(([path]) => path)).toEqual(['set-inclusion', 'set-inclusion/seed-0']);
  });

  it('follows links, once each, whatever circles they make', async () => {
    const root = temporaryFolder();
    const elsewhere = temporaryFolder();
    addRun(root, 'runs/seed-0').end('complete');
    addRun(elsewhere, 'seed-1').end('complete');
    addRun(elsewhere, 'more/seed-2').end('interrupted');
    fs.symlinkSync(join(elsewhere, 'seed-1'), join(root, 'runs/seed-1'));
    fs.symlinkSync(join(elsewhere, 'more'), join(root, 'more'));
    fs.symlinkSync('runs/seed-0', join(root, 'again'));
    fs.symlinkSync(root, join(root, 'runs/circle'));
    fs.symlinkSync('self', join(root, 'self'));
    fs.symlinkSync('nowhere', join(root, 'lost'));
    fs.writeFileSync(join(root, 'file'), '');
    fs.symlinkSync('file', join(root, 'link-to-file'));
    expect(await listed(root)).toEqual([
      ['lost', expect.stringMatching(/lost: cannot be read \(ENOENT/)],
      ['more/seed-2', 'interrupted'],
      ['runs/seed-0', 'complete'],
      ['runs/seed-1', 'complete'],
      ['self', expect.stringMatching(/self: cannot be read \(ELOOP/)],
    ]);
  });

  it('says where it stopped', async () => {
    const root = temporaryFolder();
    addRun(root, 'a/seed-0').end('complete');
    addRun(root, 'a/b/seed-1').end('complete');
    expect(await listed(root, { depth: 2 })).toEqual([
      ['a/b', `${root}/a/b: folders in it are not looked at, since it is 2 levels down; give it itself`],
      ['a/seed-0', 'complete'],
    ]);
    const [first] = await listed(root, { folders: 2 });
    expect(first?.[1]).toBe(
      `${root}: has more than 2 folders, of which the rest is not looked at; give one in it`,
    );
  });
});
