import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the project: the one with its package.json, above the sources or above dist. */
export function projectRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}

/**
 * Folder whose node_modules has the native engine's package: the project itself, or where it is installed a folder above
 * it.
 */
export function engineRoot(): string {
  const root = projectRoot();
  let folder = root;
  while (!fs.existsSync(path.join(folder, 'node_modules/@tensorflow/tfjs-node-gpu/package.json'))) {
    const above = path.dirname(folder);
    if (above === folder) return root;
    folder = above;
  }
  return folder;
}

/** Version of gradscope. */
export function version(): string {
  const text = fs.readFileSync(path.join(projectRoot(), 'package.json'), 'utf8');
  const content: unknown = JSON.parse(text);
  if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version);
  throw new Error(`${projectRoot()}/package.json has no version`);
}

/** Versions of gradscope (with the commit of its checkout, where there is one) and of Node. */
export function versions(): Record<string, string> {
  return { gradscope: version(), commit: commit(), node: process.versions.node };
}

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, {
        cwd: projectRoot(),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        // A look must not lock the checkout: many tasks look at once, and one that is killed would leave its lock behind.
        env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
      }).trim();
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '-modified');
  } catch {
    return 'unknown';
  }
}
