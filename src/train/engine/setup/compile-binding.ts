import { copyFile, cp, mkdir, stat, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { writeLog } from './cache-folder.js';
import { readJson, replaceFolder, sha256OfFile, writeJson } from './files.js';
import { BINDING_FILE, cacheEntry, logFile, type EnginePackage } from './layout.js';
import type { SetupOptions } from './options.js';
import { withProgress } from './progress.js';
import { RouteFailure } from './route-failure.js';
import type { SetupSystem } from './system.js';

const TIMEOUT_MS = 15 * 60_000;

const record = z.object({ sha256: z.string() });

/** Folder in the cache of the binding compiled from one package version for one Node-API version. */
function bindingFolder(options: SetupOptions, engine: EnginePackage): string {
  return join(cacheEntry(options), `binding-${engine.version}`, engine.bindingFolderName);
}

/** The compiled binding in the cache, undefined where there is none or it was changed since. */
export async function cachedBinding(
  options: SetupOptions,
  engine: EnginePackage,
): Promise<string | undefined> {
  const folder = bindingFolder(options, engine);
  const expected = await readJson(join(folder, 'binding.json'), record);
  const path = join(folder, BINDING_FILE);
  if (expected === undefined) return undefined;
  return (await sha256OfFile(path).catch(() => undefined)) === expected.sha256 ? path : undefined;
}

/**
 * Compiles the package's binding against the cached library with the package's own node-pre-gyp, in a copy of its
 * sources inside `partial` so that an interrupted build leaves nothing in `node_modules`. Returns the path of the
 * binding in the cache. Throws `RouteFailure` with the likely cause.
 */
export async function compileBinding(
  options: SetupOptions,
  engine: EnginePackage,
  partial: string,
  system: SetupSystem,
): Promise<string> {
  const build = join(partial, 'build');
  await mkdir(join(build, 'deps'), { recursive: true });
  for (const name of ['package.json', 'binding.gyp']) {
    await copyFile(join(engine.folder, name), join(build, name));
  }
  await cp(join(engine.folder, 'binding'), join(build, 'binding'), { recursive: true });
  for (const name of ['lib', 'include']) {
    await symlink(join(cacheEntry(options), name), join(build, 'deps', name));
  }
  const preGyp = join(options.projectRoot, 'node_modules/.bin/node-pre-gyp');
  const result = await withProgress(
    system,
    'compiling the TensorFlow binding',
    () => '',
    async () =>
      system.run(system.node.executable, [preGyp, 'install', '--build-from-source'], {
        cwd: build,
        environment: await buildEnvironment(options, system),
        timeoutMs: TIMEOUT_MS,
      }),
  );
  const printed = `${result.stdout}\n${result.stderr}`;
  const log = await writeLog(logFile(options, 'compile-binding'), printed);
  const built = join(build, 'lib', engine.bindingFolderName, BINDING_FILE);
  const isThere = await stat(built).catch(() => undefined);
  if (result.code !== 0 || isThere === undefined) throw compileFailure(printed, log);

  const finished = join(partial, 'binding');
  await mkdir(finished);
  await copyFile(built, join(finished, BINDING_FILE));
  await writeJson(join(finished, 'binding.json'), { sha256: await sha256OfFile(built) }, system);
  const folder = bindingFolder(options, engine);
  await mkdir(dirname(folder), { recursive: true });
  await replaceFolder(finished, folder);
  return join(folder, BINDING_FILE);
}

/**
 * Settings of node-gyp: headers of the running Node where it came with them (then nothing is downloaded), the node-gyp
 * of the npm that started us (node-pre-gyp looks only beside Node), and all cores.
 */
async function buildEnvironment(
  options: SetupOptions,
  system: SetupSystem,
): Promise<Record<string, string | undefined>> {
  const given = system.environment;
  const environment: Record<string, string | undefined> = { JOBS: given['JOBS'] ?? 'max' };
  const prefix = resolve(dirname(system.node.executable), '..');
  const ownHeaders = await stat(join(prefix, 'include/node/node_api.h')).catch(() => undefined);
  if (given['npm_config_nodedir'] === undefined && ownHeaders !== undefined) {
    environment['npm_config_nodedir'] = prefix;
  }
  const npm = given['npm_execpath'];
  if (given['npm_config_node_gyp'] === undefined && npm !== undefined) {
    const nodeGyp = resolve(dirname(npm), '../node_modules/node-gyp/bin/node-gyp.js');
    if (await stat(nodeGyp).catch(() => undefined)) environment['npm_config_node_gyp'] = nodeGyp;
  }
  if (options.python !== undefined) environment['npm_config_python'] = options.python;
  return environment;
}

const CAUSES: readonly [pattern: RegExp, cause: string, remedy: string][] = [
  [/not found: make|make: not found|spawn make ENOENT/, 'no make', 'install make and g++'],
  [
    /g\+\+: (command )?not found|c\+\+: (command )?not found|g\+\+: No such file/,
    'no C++ compiler',
    'install g++ and make',
  ],
  [/find Python|Could not find any Python/, 'node-gyp found no python3', 'install python3'],
  [
    /network connectivity|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|getaddrinfo|FetchError/,
    'the Node.js headers could not be downloaded',
    'set npm_config_nodedir to a Node.js installation that has include/node',
  ],
  [/spawn node-gyp ENOENT/, 'no node-gyp', 'install npm beside Node.js'],
];

function compileFailure(printed: string, log: string): RouteFailure {
  // node-gyp says in passing that it found Python, and names the headers it looks for.
  const complaints = printed.replaceAll(/^(?:node-pre-)?gyp (?:info|http) .*$/gm, '');
  for (const [pattern, cause, remedy] of CAUSES) {
    if (pattern.test(complaints)) {
      return new RouteFailure(`the binding could not be compiled: ${cause}, log ${log}`, remedy);
    }
  }
  return new RouteFailure(`the binding could not be compiled, log ${log}`, 'see the end of that log');
}
