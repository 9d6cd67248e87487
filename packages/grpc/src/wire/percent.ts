// oxlint-disable-next-line no-control-regex
const plain = /^[\x20-\x24\x26-\x7e]*$/;

/** `grpc-message` of a text: UTF-8 with what is not printable ASCII, and "%", percent-encoded. */
export function encodeMessage(text: string): string {
  if (plain.test(text)) return text;
  let encoded = "";
  for (const octet of Buffer.from(text.toWellFormed(), "utf8")) {
    encoded +=
      octet >= 0x20 && octet <= 0x7e && octet !== 0x25
        ? String.fromCharCode(octet)
        : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** The text of a `grpc-message`. What is wrongly encoded stays as it is, as the specification asks. */
export function decodeMessage(encoded: string): string {
  if (!encoded.includes("%")) return encoded;
  const octets: number[] = [];
  for (let at = 0; at < encoded.length; at++) {
    const digits = encoded.slice(at + 1, at + 3);
    if (encoded[at] === "%" && /^[0-9a-fA-F]{2}$/.test(digits)) {
      octets.push(Number.parseInt(digits, 16));
      at += 2;
    } else {
      octets.push(encoded.charCodeAt(at) & 255);
    }
  }
  return Buffer.from(octets).toString("utf8");
}
