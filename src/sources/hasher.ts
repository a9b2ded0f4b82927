import { Sha256 } from "./sha256.ts";

/** A running SHA-256. `node/` supplies the one of node:crypto; without it the plain one of sha256.ts serves. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hexadecimal digest; the hasher is spent afterwards. */
  digest(): string;
}

export type NewHasher = () => Hasher;

/** Hash of bytes that are at hand as a whole. */
export function hashBytesWith(newHasher: NewHasher, bytes: Uint8Array): string {
  const hasher = newHasher();
  hasher.update(bytes);
  return hasher.digest();
}

/** Works everywhere, about a tenth as fast as the platform's own. */
export const plainHasher: NewHasher = () => new Sha256();
