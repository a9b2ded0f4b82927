import { createHash } from "node:crypto";
import type { Hasher } from "../sources/hasher.ts";

/** Bytes of one leaf. Fixed for good: another size gives other fingerprints. */
export const LEAF_BYTES = 4 * 1024 * 1024;

/** SHA-256 of one leaf. */
export function leafDigest(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** SHA-256 over the leaf digests in order. */
export function treeDigest(leaves: readonly Uint8Array[]): string {
  const root = createHash("sha256").update("commensurate/tree-4MiB\n");
  for (const leaf of leaves) root.update(leaf);
  return root.digest("hex");
}

/**
 * Fingerprint of a file that several threads can compute together: SHA-256 of every 4 MiB, then SHA-256 over those.
 * Reading in order gives the same value.
 */
export class TreeHasher implements Hasher {
  #leaf = createHash("sha256");
  #inLeaf = 0;
  readonly #leaves: Uint8Array[] = [];

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + LEAF_BYTES - this.#inLeaf);
      this.#leaf.update(part);
      this.#inLeaf += part.length;
      at += part.length;
      if (this.#inLeaf === LEAF_BYTES) this.#closeLeaf();
    }
  }

  digest(): string {
    if (this.#inLeaf > 0) this.#closeLeaf();
    return treeDigest(this.#leaves);
  }

  #closeLeaf(): void {
    this.#leaves.push(this.#leaf.digest());
    this.#leaf = createHash("sha256");
    this.#inLeaf = 0;
  }
}
