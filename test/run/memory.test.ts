import os from 'node:os';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { runSchema } from '../../src/run/config.js';
import { availableMemory, describeCost, replicaLimit, requireMemory } from '../../src/run/memory.js';
import { checkedCost } from '../../src/run/plan.js';

const cost = checkedCost(loadConfig('configs/set-inclusion.yaml', runSchema).config);

test('memory is what this process may hold, not what the machine has', () => {
  expect(availableMemory()).toBeGreaterThan(0);
  expect(availableMemory()).toBeLessThanOrEqual(os.totalmem());
  expect(availableMemory({ freemem: () => 24e9, availableMemory: () => 1.5e9 })).toBe(1.5e9);
  expect(availableMemory({ freemem: () => 1e9, availableMemory: () => 1.5e9 })).toBe(1e9);
});

test('as many seeds train together as fit into half of it, and never none', () => {
  const each = 100e6;
  const together = (available: number): number => replicaLimit({ bytesPerReplica: each }, available).replicas;
  expect([0.5, 1, 2, 4, 4.1, 31.9, 32, 1000].map((times) => together(times * each))).toEqual([
    1, 1, 1, 2, 2, 15, 16, 16,
  ]);
  expect(replicaLimit({ bytesPerReplica: each }, 10 * each).reason).toBe(
    'about 100 MB each, 500 MB of memory to use',
  );
});

test('one seed that does not fit is refused, with what takes most', () => {
  expect(() => requireMemory(cost, cost.bytesPerReplica)).not.toThrow();
  expect(() => requireMemory(cost, cost.bytesPerReplica - 1)).toThrow(
    /^one seed needs about \d+ MB of memory and \d+ MB are available; most of it, \d+ MB, for .+: make that smaller$/,
  );
});

test('the plan says parameters, updates and memory', () => {
  expect(describeCost(cost)).toMatch(/^[\d,]+ parameters, [\d,]+ updates, about \d+ MB of memory per seed$/);
});
