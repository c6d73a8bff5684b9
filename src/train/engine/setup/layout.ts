import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../../../data/errors.js';
import { readJson } from './files.js';
import type { SetupOptions, WheelChoice } from './options.js';
import type { SetupSystem } from './system.js';

/** The installed `@tensorflow/tfjs-node-gpu` and the places in it that the set-up fills. */
export interface EnginePackage {
  readonly folder: string;
  readonly version: string;
  /** Folder of the binding by Node-API version, such as `napi-v8`: one build serves every later Node. */
  readonly bindingFolderName: string;
  readonly binding: string;
  /** Native library; the binding looks for it there (`$ORIGIN/../../deps/lib`). */
  readonly deps: string;
  readonly stamp: string;
}

/** The native library as the wheel names it. */
export const LIBRARY_FILES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** Names under which the linker is asked for the library (`-ltensorflow`). */
export const LINK_NAMES = [
  ['libtensorflow.so', 'libtensorflow_cc.so.2'],
  ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
] as const;

export const BINDING_FILE = 'tfjs_binding.node';

const packageJson = z.object({
  version: z.string(),
  binary: z.object({ napi_versions: z.array(z.number()) }),
});

/** Finds the installed engine package. Throws `UserError` where `npm ci` has not been run. */
export async function enginePackage(options: SetupOptions, system: SetupSystem): Promise<EnginePackage> {
  const folder = join(options.projectRoot, 'node_modules/@tensorflow/tfjs-node-gpu');
  const description = await readJson(join(folder, 'package.json'), packageJson);
  if (description === undefined) {
    throw new UserError(`${folder}: @tensorflow/tfjs-node-gpu is not installed; run npm ci`);
  }
  // The rule of node-pre-gyp, which names the folder.
  const served = description.binary.napi_versions.filter((version) => version <= system.node.napiVersion);
  const bindingFolderName = `napi-v${Math.max(...served)}`;
  return {
    folder,
    version: description.version,
    bindingFolderName,
    binding: join(folder, 'lib', bindingFolderName, BINDING_FILE),
    deps: join(folder, 'deps'),
    stamp: join(folder, 'gradscope-native.json'),
  };
}

/** Folder of one unpacked library in the cache. */
export function cacheEntry(options: SetupOptions, wheel: WheelChoice = options.wheel): string {
  return join(options.cacheFolder, `${wheel.package}-${wheel.version}-linux-x64`);
}

/** File in the cache that keeps what a tool printed. */
export function logFile(options: SetupOptions, name: string): string {
  return join(options.cacheFolder, 'logs', `${name}.log`);
}
