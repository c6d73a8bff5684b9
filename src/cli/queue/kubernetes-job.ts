import { stringifyYaml } from '../../../data/yaml.js';
import { exitCodes } from '../exit-codes.js';
import { jobWords, type JobCall } from './job-command.js';

/** What an Indexed Job asks for. */
export interface KubernetesRequest {
  readonly name: string;
  readonly does: 'train' | 'probe';
  readonly count: number;
  /** Pods at once; null for all. */
  readonly limit: number | null;
  readonly cpus?: number | undefined;
  /** Bytes. */
  readonly memory?: number | undefined;
  readonly gpus?: number | undefined;
}

/** 128 + SIGTERM: told to stop before it had begun. */
const terminated = 143;

/**
 * An Indexed Job of Kubernetes (1.31 or newer) in YAML: a pod a task. A task that failed is not tried again, one that was
 * stopped or found its runs held is. Image and volume are for the reader to fill in: the paths are those of this machine.
 */
export function kubernetesJob(request: KubernetesRequest, call: JobCall): string {
  const { name, does, count, limit, cpus, memory, gpus } = request;
  const [node = '', ...args] = jobWords(call, does);
  const resources = {
    ...(cpus === undefined ? {} : { cpu: String(cpus) }),
    ...(memory === undefined ? {} : { memory: String(memory) }),
    ...(gpus === undefined ? {} : { 'nvidia.com/gpu': String(gpus) }),
  };
  const onExitCodes = (...values: number[]) => ({ operator: 'In', values });
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      completionMode: 'Indexed',
      completions: count,
      parallelism: Math.min(limit ?? count, count),
      backoffLimitPerIndex: 6,
      maxFailedIndexes: count,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] },
          { action: 'Ignore', onExitCodes: onExitCodes(exitCodes.again, exitCodes.stopped, terminated) },
          { action: 'FailIndex', onExitCodes: onExitCodes(exitCodes.failed, exitCodes.usage) },
        ],
      },
      template: {
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: 120,
          containers: [
            {
              name: 'gradscope',
              image: 'IMAGE',
              workingDir: call.folder,
              command: [node],
              // Kubernetes puts the index in here; $$ is a dollar sign of its own.
              args: [
                ...args.map((word) => word.replaceAll('$(', '$$$$(')),
                '--task',
                `$(JOB_COMPLETION_INDEX)/${count}`,
              ],
              ...(Object.keys(resources).length === 0 ? {} : { resources: { limits: resources } }),
              volumeMounts: [{ name: 'shared', mountPath: 'FOLDER' }],
            },
          ],
          volumes: [{ name: 'shared', persistentVolumeClaim: { claimName: 'CLAIM' } }],
        },
      },
    },
  };
  return [
    '# IMAGE: one that has this program; FOLDER, CLAIM: the file system that all pods share. Paths are those of this machine.',
    stringifyYaml(job),
  ].join('\n');
}
