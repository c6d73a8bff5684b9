/** Interval methods and the words with which they are printed: the one place for both. */
const intervalMethods = {
  t: 'Student t over units',
  welch: "Student t over seeds of two arms, Welch's degrees of freedom",
  fieller: 'Fieller over seeds, ratio of averages',
  'noncentral-t': 'noncentral t inversion',
  'bootstrap-percentile': 'bootstrap, percentile with small-sample expansion',
  'bootstrap-bca': 'bootstrap, BCa with small-sample expansion',
  'bootstrap-t': 'studentised bootstrap',
  'hierarchical-percentile': 'hierarchical bootstrap, percentile, variance matched',
  'hierarchical-bca': 'hierarchical bootstrap, BCa, variance matched',
  hajek: 'Hájek projection of a U-statistic',
  'least-squares': 'ordinary least squares, t',
  jackknife: 'delete-one-seed jackknife, Student t over seeds',
  'fisher-z': 'Fisher z with the Bonett-Wright standard error',
} as const;

/** How an interval is made. */
export type IntervalMethod = keyof typeof intervalMethods;

/** Tests and the words with which they are printed. */
const testNames = {
  t: 't test',
  'sign-flip': 'sign-flip permutation test over seeds',
  'wilcoxon-signed-rank': 'Wilcoxon signed-rank test',
  'tag-flip': 'tag flips within a seed',
  'tag-shuffle': 'tag labels permuted within a seed',
  matching: 'permutation of the matching',
  'max-statistic': 'max-statistic sign flips, step-down',
  tost: 'two one-sided t tests',
  spearman: 'Spearman rank correlation',
  'jonckheere-terpstra': 'Jonckheere-Terpstra test',
  page: "Page's trend test within seeds",
} as const;

/** A test of a null hypothesis. */
export type TestName = keyof typeof testNames;
