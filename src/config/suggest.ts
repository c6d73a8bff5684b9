/** Characters of a word that are compared: no name of ours is longer. */
const compared = 64;

/** The candidate nearest to a misspelt word, or null when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > compared) return null;
  const best = ranked(word, candidates)[0];
  return best !== undefined && best.distance <= Math.max(2, word.length / 3) ? best.candidate : null;
}

/** The `count` candidates nearest to a word, however far they are. */
export function nearestOf(word: string, candidates: readonly string[], count: number): string[] {
  return ranked(word.slice(0, compared), candidates)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

function ranked(word: string, candidates: readonly string[]): { candidate: string; distance: number }[] {
  return candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substituted));
    }
    row = next;
  }
  return row[b.length]!;
}
