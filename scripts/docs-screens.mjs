// `npm run docs:screens -- <folder of runs>`: draws the screens of docs/tui.md anew, from the runs of the quickstart.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { isMain, runScript } from './process.mjs';
import { fileURLToPath } from 'node:url';

const PAGE = path.join(ROOT, 'docs/tui.md');

/** A screen of the page: the keys that lead to it, and what is drawn. */
export const SCREEN = /<!-- screen: ([^\n]*) -->\n\n```text\n([\s\S]*?)\n```/g;

/** Keys of a comment: `a 3 tab`. */
export const keysOf = (text) => text.split(' ').filter((key) => key !== '');

async function draw(folder, keys) {
  const { BrowserSession } = await import('../dist/tui/session/session.js');
  const { nodeEnvironment } = await import('../dist/src/store/environment.js');
  const session = new BrowserSession({
    root: folder,
    environment: { processes: nodeEnvironment.processes },
    effects: {
      now: () => Date.now(),
      exists: () => false,
      copy: () => 'copied',
      quit: () => undefined,
      writeFile: () => Promise.resolve(),
    },
    style: { colour: false, ascii: false, screenReader: false },
    box: { width: 100, height: 30 },
  });
  await session.open();
  session.measureGaps();
  await session.settled();
  session.press(keys);
  await session.settled();
  const lines = session.frame().lines.map((line) => line.trimEnd());
  await session.close();
  return lines.join('\n').trimEnd();
}

if (isMain(fileURLToPath(import.meta.url))) {
  await runScript(async () => {
    await bootstrap();
    const folder = process.argv[2] ?? 'runs/set-inclusion';
    const page = fs.readFileSync(PAGE, 'utf8');
    const screens = new Map();
    for (const [, keys] of page.matchAll(SCREEN)) screens.set(keys, await draw(folder, keysOf(keys)));
    const drawn = page.replaceAll(
      SCREEN,
      (_, keys) => `<!-- screen: ${keys} -->\n\n\`\`\`text\n${screens.get(keys)}\n\`\`\``,
    );
    fs.writeFileSync(PAGE, drawn);
  });
}
