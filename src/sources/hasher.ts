import { Sha256 } from "./sha256.ts";

/** A running SHA-256. `node/` supplies the one of node:crypto; without it the plain one of sha256.ts serves. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hexadecimal digest; the hasher is spent afterwards. */
  digest(): string;
}

export type NewHasher = () => Hasher;

/** Works everywhere, about a tenth as fast as the platform's own. */
export const plainHasher: NewHasher = () => new Sha256();
