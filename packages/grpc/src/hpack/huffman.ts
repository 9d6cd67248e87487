import { HpackError } from "./error.ts";
import { codes, endOfString } from "./huffman-code.ts";

/**
 * Huffman coding of string literals (RFC 7541, section 5.2).
 *
 * Decoding walks a state machine four bits at a time; no code is shorter than five bits, so a step emits one octet at
 * most. An entry of the machine is `next state | octet << 9 | flags`.
 */
const emits = 1 << 17;
const mayEnd = 1 << 18;
const fails = 1 << 19;
const nextMask = 0x1ff;

const machine: Int32Array = buildMachine();

interface Node {
  readonly state: number;
  readonly children: [Node | number | undefined, Node | number | undefined];
  /** Whether a string may end here: at most 7 bits, all of them ones (a prefix of EOS). */
  readonly padding: boolean;
}

function buildMachine(): Int32Array {
  const nodes: Node[] = [{ state: 0, children: [undefined, undefined], padding: true }];
  const [root] = nodes as [Node];
  for (const [symbol, { bits, length }] of codes.entries()) {
    let node = root;
    for (let at = length - 1; at >= 0; at--) {
      const bit = (bits >>> at) & 1;
      if (at === 0) {
        node.children[bit] = symbol;
        break;
      }
      let child = node.children[bit];
      if (typeof child !== "object") {
        const depth = length - at;
        child = {
          state: nodes.length,
          children: [undefined, undefined],
          padding: depth <= 7 && bits >>> at === 2 ** depth - 1,
        };
        nodes.push(child);
        node.children[bit] = child;
      }
      node = child;
    }
  }
  const table = new Int32Array(nodes.length * 16);
  for (const start of nodes) {
    for (let nibble = 0; nibble < 16; nibble++) table[start.state * 16 + nibble] = step(root, start, nibble);
  }
  return table;
}

function step(root: Node, start: Node, nibble: number): number {
  let node = start;
  let emitted = 0;
  for (let at = 3; at >= 0; at--) {
    const child = node.children[(nibble >>> at) & 1];
    if (typeof child === "object") node = child;
    else if (child === undefined || child === endOfString) return fails;
    else {
      emitted = emits | (child << 9);
      node = root;
    }
  }
  return node.state | emitted | (node.padding ? mayEnd : 0);
}

let scratch: Buffer = Buffer.allocUnsafeSlow(4096);

/** Decodes `buffer[start, end)`. Throws HpackError for EOS in it and for wrong padding. */
export function huffmanDecode(buffer: Uint8Array, start: number, end: number): string {
  const most = Math.ceil(((end - start) * 8) / 5);
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most * 2);
  const out = scratch;
  let written = 0;
  let entry = mayEnd;
  for (let at = start; at < end; at++) {
    const octet = buffer[at] as number;
    entry = machine[(entry & nextMask) * 16 + (octet >>> 4)] as number;
    if ((entry & emits) !== 0) out[written++] = entry >>> 9;
    if ((entry & fails) !== 0) break;
    entry = machine[(entry & nextMask) * 16 + (octet & 15)] as number;
    if ((entry & emits) !== 0) out[written++] = entry >>> 9;
    if ((entry & fails) !== 0) break;
  }
  if ((entry & (fails | mayEnd)) !== mayEnd) throw new HpackError("not a Huffman-coded string");
  return out.toString("latin1", 0, written);
}

/** The octets that `huffmanEncode` writes for a string of octets. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let at = 0; at < text.length; at++) bits += codes[text.charCodeAt(at) & 255]?.length ?? 0;
  return (bits + 7) >>> 3;
}

/** Writes the code of a string of octets (latin1) at `offset`; returns the offset behind it. */
export function huffmanEncode(text: string, target: Uint8Array, offset: number): number {
  let at = offset;
  let held = 0;
  let heldBits = 0;
  for (let index = 0; index < text.length; index++) {
    const { bits, length } = codes[text.charCodeAt(index) & 255] ?? { bits: 0, length: 0 };
    // A code has up to 30 bits and up to 7 are held: that is more than the 32 of a bitwise operator.
    held = held * 2 ** length + bits;
    heldBits += length;
    while (heldBits >= 8) {
      heldBits -= 8;
      const octet = Math.floor(held / 2 ** heldBits);
      target[at++] = octet;
      held -= octet * 2 ** heldBits;
    }
  }
  if (heldBits > 0) target[at++] = (held * 2 ** (8 - heldBits)) | (0xff >>> heldBits);
  return at;
}
