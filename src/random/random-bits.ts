/**
 * Where random bits come from. Everything released uses secure bits; seeded bits serve rehearsals, fixtures and tests and
 * mark what they made as a rehearsal, which cannot be published.
 */
export interface RandomBits {
  readonly secure: boolean;
  /** Fill with uniformly random 32-bit words. */
  fill(words: Uint32Array): void;
}
