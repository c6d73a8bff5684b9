/** How much of the gradients of a run is kept, least first. */
export const logTiers = ['off', 'norms', 'groups', 'sketch', 'full'] as const;

export type LogTier = (typeof logTiers)[number];

/** Whether a tier keeps what belongs to `needed`. */
export function reaches(tier: LogTier, needed: LogTier): boolean {
  return logTiers.indexOf(tier) >= logTiers.indexOf(needed);
}
