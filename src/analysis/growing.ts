type Values = Int32Array | Float64Array;

/** Numbers that grow at their end, in a typed array. */
export class Growing {
  #values: Values;
  #length = 0;

  constructor(private readonly kind: 'int32' | 'float64') {
    this.#values = this.#make(64);
  }

  get length(): number {
    return this.#length;
  }

  /** The values so far; shares their memory until the next push. */
  get values(): Values {
    return this.#values.subarray(0, this.#length);
  }

  get bytes(): number {
    return this.#values.byteLength;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#make(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length++;
  }

  #make(length: number): Values {
    return this.kind === 'int32' ? new Int32Array(length) : new Float64Array(length);
  }
}
