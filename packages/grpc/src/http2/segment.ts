const length = 65_536;
/** Segments that wait for use, 4 MB at most. */
const maxFree = 64;
const free: Segment[] = [];

/**
 * A piece of memory that frames are written to. It is used again when the system has taken all that was written:
 * memory outside of the heap makes the garbage collector run far more often than its share.
 */
export class Segment {
  readonly buffer: Buffer;
  #writes = 0;
  #retired = false;

  constructor(octets: number) {
    this.buffer = Buffer.allocUnsafeSlow(octets);
  }

  /** A whole segment, new or used before. */
  static take(): Segment {
    const segment = free.pop() ?? new Segment(length);
    segment.#retired = false;
    return segment;
  }

  writing(): void {
    this.#writes++;
  }

  readonly written = (): void => {
    this.#writes--;
    this.#giveBack();
  };

  /** Nothing more is put into it. */
  retire(): void {
    this.#retired = true;
    this.#giveBack();
  }

  #giveBack(): void {
    if (!this.#retired || this.#writes > 0 || this.buffer.length !== length || free.length >= maxFree) return;
    this.#retired = false;
    free.push(this);
  }
}
