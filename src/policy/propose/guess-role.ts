import type { Role } from "../schema.ts";
import type { ColumnFacts } from "./column-facts.ts";
import {
  DIRECT, FREE_TEXT, FREQUENCY, IDENTIFIER, matching, MEASURE, PERSON, QUASI, SENSITIVE, WEIGHT, wordsOf,
  type QuasiKind,
} from "./name-words.ts";

export interface RoleGuess {
  readonly role: Role;
  /** For the comment: why. Names counts, never values. */
  readonly because: string;
  readonly kind?: QuasiKind | undefined;
  readonly drop?: boolean;
  /** What a person must decide. */
  readonly decide?: string;
}

/** A text column with more values is no category. */
const MANY = 100;

/** Of fewer records, that all values differ says little. */
const FEW = 20;

/** The role that a column seems to have. Where name and values disagree, the more careful role. */
export function guessRole(facts: ColumnFacts): RoleGuess {
  const { present, distinct, shapes, physical } = facts;
  const words = wordsOf(facts.name);
  if (physical === "other") return { role: "other", because: "nested values, which cannot be released", drop: true };
  if (present === 0) return { role: "other", because: "no value in any record", drop: true };
  const share = (n: number): number => n / present;
  const unlike = distinct / present;
  const nearlyUnique = present >= FEW && unlike >= 0.9;
  const direct = (because: string): RoleGuess => ({ role: "direct-identifier", because });

  // Values that give a person away are believed whatever the name says.
  if (shapes.email > 0) return direct(`${records(shapes.email)} of ${present} look like e-mail addresses`);
  if (shapes.ssn > 0) return direct(`${records(shapes.ssn)} of ${present} look like social security numbers`);
  if (share(shapes.phone) >= 0.1) return direct("values look like telephone numbers");
  if (share(shapes.web) >= 0.5) return direct("values look like addresses of pages or devices");
  if (share(shapes.address) >= 0.2) return direct("values look like street addresses");

  const isDate = share(shapes.date + shapes.timestamp + shapes.otherDate) >= 0.9;
  const isNumber = facts.numbers !== undefined;
  const named = matching(words, DIRECT);
  if (named !== undefined && !isDate && (distinct > 2 || !isNumber)) return direct(`named like ${named.what}`);
  if (words === "name" && distinct > 2 && (unlike >= 0.2 || distinct > 200)) {
    return direct("named like a name, with many values");
  }

  const quasi = matching(words, QUASI);
  const sensitive = matching(words, SENSITIVE);
  if (isDate) return { role: "quasi-identifier", because: "dates", kind: quasi?.kind === "birth" ? "birth" : "date" };
  if (isNumber && WEIGHT.test(words)) return { role: "weight", because: "named like a sampling weight" };

  if (IDENTIFIER.test(words) && quasi === undefined && sensitive === undefined) {
    if (nearlyUnique) return direct("named like an identifier, and nearly every record has its own value");
    if (PERSON.test(words) && distinct > 2) {
      return { role: "contributor", because: `named like the id of a person, with ${distinct} values` };
    }
  }
  if (quasi === undefined && sensitive === undefined && repeatsAsIdsDo(facts)) {
    return { role: "contributor", because: `values look like ids, ${distinct} of them in ${present} records` };
  }
  if (isSerial(facts)) return direct("numbers that count the records");
  const isLong = facts.lengths?.length === 1 && facts.lengths[0]! >= 7;
  if (isNumber && share(shapes.integer) === 1 && nearlyUnique && isLong) {
    return direct("numbers of one length, nearly all different, as identifiers are");
  }

  const measureName = isNumber && MEASURE.test(words);
  if (sensitive !== undefined && !measureName) {
    return {
      role: "sensitive",
      because: `named like ${sensitive.what}`,
      ...(nearlyUnique && !isNumber
        ? { decide: "nearly every record has its own value; drop it, unless the values are harmless" }
        : {}),
    };
  }
  if (quasi !== undefined && !(measureName && distinct > 100)) return byQuasiName(facts, quasi.what, quasi.kind);
  if (isNumber && FREQUENCY.test(words)) {
    return { role: "measure", because: "named like a count" };
  }
  if (!isNumber && (FREE_TEXT.test(words) || facts.meanLength > 40) && unlike > 0.3 && present >= FEW) {
    return direct("free text, which may name persons");
  }
  if (!isNumber && nearlyUnique) return direct("nearly every record has its own value");
  if (measureName) return measured("named like an amount", nearlyUnique);
  if (isNumber && shapes.integer < present) return measured("decimal numbers", nearlyUnique);
  if (isNumber && distinct > 100) return measured(`whole numbers with ${distinct} values`, nearlyUnique);
  if (!isNumber && distinct > MANY && unlike >= 0.2) {
    return {
      role: "direct-identifier",
      because: "not recognised, and has many values; careful until you decide",
      decide: "does it name or number persons? If not, give it another role",
    };
  }
  if (distinct === 1) return { role: "other", because: "the same value in every record" };
  return {
    role: "quasi-identifier",
    because: "not recognised; careful until you decide",
    kind: "trait",
    decide: "is it something that others may know about a person? If not, say other or sensitive",
  };
}

function byQuasiName(facts: ColumnFacts, what: string, kind: QuasiKind): RoleGuess {
  const { distinct, present, shapes } = facts;
  const isNumber = facts.numbers !== undefined;
  if (kind === "year" && !isNumber) return { role: "quasi-identifier", because: `named like ${what}`, kind: "trait" };
  if (kind === "age" && !isNumber) return { role: "quasi-identifier", because: `named like ${what}`, kind: "trait" };
  const isCode = kind === "zip" || kind === "place-code";
  if (!isNumber && !isCode && shapes.date + shapes.timestamp === 0 && present >= FEW && distinct / present >= 0.9) {
    return { role: "direct-identifier", because: `named like ${what}, but nearly every record has its own value` };
  }
  return { role: "quasi-identifier", because: `named like ${what}`, kind };
}

function measured(because: string, nearlyUnique: boolean): RoleGuess {
  return nearlyUnique
    ? {
      role: "measure",
      because,
      decide:
        "exact amounts can be recognised, and measures are released as they are; drop it, or make it coarser at the " +
        "source",
    }
    : { role: "measure", because };
}

/** Codes of one or two lengths, many of them, which occur more than once: numbers of persons rather than of things. */
function repeatsAsIdsDo({ shapes, present, distinct, numbers, lengths, meanLength }: ColumnFacts): boolean {
  if (distinct <= MANY || distinct < present / 20 || lengths === undefined || lengths.length > 2) return false;
  if (numbers === undefined) return shapes.code >= 0.95 * present;
  return shapes.integer === present && lengths.length === 1 && meanLength >= 7;
}

/** 1, 2, 3, ... with hardly a gap. */
function isSerial({ numbers, shapes, present, distinct }: ColumnFacts): boolean {
  if (numbers === undefined || shapes.integer < present || present < FEW || distinct < present) return false;
  return numbers.max - numbers.min < 1.2 * present;
}

function records(n: number): string {
  return n === 1 ? "1 value" : `${n} values`;
}
