import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** A Slurm cluster of two nodes on this machine, each with a host name and process ids of its own. */
export interface Cluster {
  /** Variables by which Slurm's programs and ours find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of its nodes, `n1` and `n2`. */
  readonly nodes: readonly string[];
  /** Whether the nodes can lose their power: they have processes of their own. */
  readonly canLosePower: boolean;
  /** Ends every process of a node at once. */
  cutPower(node: string): void;
  restorePower(node: string): void;
  down(): void;
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly text: string;
}

/** Runs a program to its end, without blocking others. */
export function runProgram(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [program = '', ...args] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, text }));
  });
}

/** Scripts that start such a cluster lie beside the repository; they install Slurm where it is missing. */
const scripts = path.resolve('../shared/slurm');

/** Why there can be no cluster here; null where there can. */
export function whyNoCluster(): string | null {
  if (process.platform !== 'linux') return 'Slurm runs on Linux';
  if (!fs.existsSync(path.join(scripts, 'slurm-up.sh'))) return `${scripts} is missing`;
  if (process.getuid?.() !== 0) return 'a cluster is started by root only';
  const isInstalled = ['slurmctld', 'slurmd', 'munged', 'apt-get'].map(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
  );
  const [controller, node, munge, installer] = isInstalled;
  if (controller === true && node === true && munge === true) return null;
  return installer === true ? null : 'Slurm is not installed, and there is no apt-get to install it';
}

/** Starts a cluster in a folder. Throws with what the scripts said when it does not start. */
export async function startCluster(folder: string): Promise<Cluster> {
  const up = await runProgram(['bash', path.join(scripts, 'slurm-up.sh'), folder, '2', '1']);
  const down = (): void => {
    spawnSync('bash', [path.join(scripts, 'slurm-down.sh'), folder], { stdio: 'ignore' });
  };
  if (up.code !== 0) {
    down();
    throw new Error(`the cluster does not start:\n${up.text}`);
  }
  const canLosePower = fs.existsSync(path.join(folder, 'run/unshare-n1.pid'));
  const onNode = (script: string, node: string): void => {
    spawnSync('bash', [path.join(folder, script), node.slice(1)], { stdio: 'ignore' });
  };
  return {
    environment: { SLURM_CONF: path.join(folder, 'slurm.conf') },
    nodes: ['n1', 'n2'],
    canLosePower,
    cutPower: (node) => onNode('node-kill.sh', node),
    restorePower: (node) => onNode('node-up.sh', node),
    down,
  };
}

/** State of every element of jobs, also of those that have ended, by id. */
export async function statesOf(cluster: Cluster, ids: readonly string[]): Promise<Map<string, string>> {
  const { text } = await runProgram(
    ['squeue', '-h', '-r', '-t', 'all', '-j', ids.join(','), '-o', '%i|%T|%r'],
    cluster.environment,
  );
  return new Map(
    text
      .split('\n')
      .filter((line) => line.includes('|'))
      .map((line) => {
        const [id = '', state = '', reason = ''] = line.split('|');
        return [id, /held/i.test(reason) ? `${state} held` : state];
      }),
  );
}

/** How often the elements of jobs were started again. */
export async function restartsOf(cluster: Cluster, ids: readonly string[]): Promise<number> {
  const shown = await Promise.all(
    ids.map((id) => runProgram(['scontrol', '-o', 'show', 'job', id], cluster.environment)),
  );
  return shown
    .flatMap(({ text }) => [...text.matchAll(/ Restarts=(\d+)/g)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}
