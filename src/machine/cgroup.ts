import { posix } from 'node:path';

/** Where the kernel's control groups are, of version 2 or of both. */
const root = '/sys/fs/cgroup';

/**
 * Share of processor time that the control groups of this process allow, in processors; null without a limit. The limits
 * of the groups above count too. Within a container the paths of `/proc/self/cgroup` may be those outside of it, while
 * the container's own group is at the root: both are looked at.
 *
 * @param read content of a file, null where there is none
 */
export function cpuQuota(read: (path: string) => string | null): number | null {
  const quotas = (read('/proc/self/cgroup') ?? '').split('\n').flatMap((line) => {
    const [hierarchy, controllers, path] = line.split(':');
    if (path === undefined) return [];
    if (hierarchy === '0') return upwards(path).map((own) => ofVersion2(read(`${root}${own}/cpu.max`)));
    if (!controllers!.split(',').includes('cpu')) return [];
    return upwards(path).map((own) => {
      const folder = `${root}/${controllers}${own}`;
      return ofVersion1(read(`${folder}/cpu.cfs_quota_us`), read(`${folder}/cpu.cfs_period_us`));
    });
  });
  const known = quotas.filter((quota) => quota !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** A path and those above it, without the slash at the end: that of the root is empty. */
function upwards(path: string): string[] {
  const folders: string[] = [];
  for (let own = posix.normalize(path); own !== '/' && own !== '.'; own = posix.dirname(own))
    folders.push(own);
  return [...folders, ''];
}

/** `150000 100000`: microseconds of every so many; `max 100000` without a limit. */
function ofVersion2(text: string | null): number | null {
  const [quota, period] = (text ?? '').trim().split(' ').map(Number);
  return share(quota, period);
}

/** A quota of -1 is none. */
function ofVersion1(quota: string | null, period: string | null): number | null {
  return quota === null || period === null ? null : share(Number(quota), Number(period));
}

function share(quota = NaN, period = NaN): number | null {
  return quota > 0 && period > 0 ? quota / period : null;
}
