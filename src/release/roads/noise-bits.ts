import type { RandomBits } from "../../random/index.ts";
import type { RoadContext } from "../road.ts";

/** Secure bits, or in a rehearsal those of its seed. The only way to seeded bits; nothing drawn from them is published. */
export async function noiseBits({ platform, rehearsalSeed }: RoadContext): Promise<RandomBits> {
  if (rehearsalSeed === undefined) return platform.randomBits();
  const { rehearsalBits } = await import("../../random/rehearsal-bits.ts");
  return rehearsalBits(rehearsalSeed);
}
