/** Where tensors are computed: native TensorFlow, its WebAssembly build, or plain JavaScript. */
export const engineNames = ['native', 'wasm', 'cpu'] as const;

export type EngineName = (typeof engineNames)[number];
