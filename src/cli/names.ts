// Made by `npm run docs` from the registries; do not edit. For help texts, which load nothing else.

/** Views of the browser. */
export const viewNames = [
  'runs',
  'training',
  'alignment',
  'minibatches',
  'variance',
  'transfer',
  'config',
  'health',
  'findings',
  'retraining',
  'sweep',
  'forces',
] as const;

/** Probes with the tables that they write. */
export const probeNames = [
  {
    name: 'alignment',
    tables: [
      'alignment',
      'token_alignment',
      'panel_tokens',
      'panel_gram',
      'panel_questions',
      'entity_gram',
      'factors',
    ],
  },
  { name: 'transfer', tables: ['transfer'] },
  { name: 'penalty', tables: ['penalty'] },
  { name: 'landscape', tables: ['landscape'] },
  { name: 'epoch-drift', tables: ['epoch_drift'] },
  { name: 'transfer-path', tables: ['transfer_path'] },
  { name: 'forces', tables: ['forces', 'force_ledger'] },
  { name: 'activations', tables: ['activations'] },
] as const;
