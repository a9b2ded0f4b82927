import { dictionaryText, type Dictionary } from "../columns/index.ts";
import { PolicyError } from "../errors/index.ts";
import { boundHierarchy, GroupCollector, refuseUnmapped, type DraftLevel } from "./bound.ts";
import { epochDayOf, isoWeekOf, parseDate, startOfYear, yearText, type CalendarDate } from "./calendar.ts";
import type { BoundHierarchy, Hierarchy } from "./hierarchy.ts";

/** From fine to coarse. Periods of n years begin at multiples of n. */
export type DateLevel = "day" | "week" | "month" | "quarter" | "half-year" | "year" | { readonly years: number };

export interface DateOptions {
  readonly levels: readonly DateLevel[];
  /** First and last day of the domain (YYYY-MM-DD), for the shares only. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Add a level in which every value is "*"; true when left out. */
  readonly suppressAll?: boolean | undefined;
}

interface Period {
  /** Different for each period of a level. */
  readonly id: number;
  readonly label: () => string;
  /** First day, and the first day after it. */
  readonly days: () => readonly [number, number];
}

/**
 * Dates (YYYY-MM-DD, or timestamps by their date part) become periods of the proleptic Gregorian calendar, written as
 * 2024-02-05, 2024-W06, 2024-02, 2024-Q1, 2024-H1, 2024 and 2020-2024.
 *
 * ISO weeks cross the borders of months, quarters and years, so no period but "*" may follow them.
 * Share of a period: its days inside the domain over the days of the domain, which reaches over `from`, `to` and all dates
 * of the dictionary. A leaf is a day.
 *
 * @throws PolicyError `hierarchy/bad-date`, `hierarchy/levels-do-not-nest`
 */
export function dateHierarchy(options: DateOptions): Hierarchy {
  const { levels } = options;
  const suppressAll = options.suppressAll ?? true;
  checkLevels(levels);
  const from = declaredDay("from", options.from);
  const to = declaredDay("to", options.to);
  if (from !== undefined && to !== undefined && to < from) throw bad("to of a date hierarchy must not be before from.");

  return {
    levels: 1 + levels.length + (suppressAll ? 1 : 0),
    levelNames: ["values", ...levels.map(levelName), ...(suppressAll ? ["suppressed"] : [])],
    bind(dictionary: Dictionary, column: string): BoundHierarchy {
      const dates: CalendarDate[] = [];
      let unmapped = 0;
      for (let code = 0; code < dictionary.size; code++) {
        const date = parseDate(dictionaryText(dictionary, code));
        if (date === undefined) unmapped++;
        else dates.push(date);
      }
      refuseUnmapped(column, unmapped, dictionary.size, "dates of the calendar as YYYY-MM-DD, or timestamps that begin so");

      const days = dates.map(epochDayOf);
      let first = from ?? days[0] ?? to ?? 0;
      let last = to ?? days[0] ?? first;
      for (const day of days) {
        if (day < first) first = day;
        if (day > last) last = day;
      }
      const drafts = levels.map((level): DraftLevel => {
        const groups = new GroupCollector<number>();
        const groupOf = Int32Array.from(dates, (date, code) => {
          const period = periodOf(level, date, days[code]!);
          return groups.group(period.id, () => {
            const [begin, end] = period.days();
            return { label: period.label(), leaves: Math.min(end, last + 1) - Math.max(begin, first) };
          });
        });
        return { groupOf, labels: groups.labels, leaves: groups.leaves };
      });
      return boundHierarchy(column, dictionary, drafts, last - first + 1, suppressAll);
    },
  };
}

function periodOf(level: DateLevel, date: CalendarDate, epochDay: number): Period {
  const { year, month, day } = date;
  switch (level) {
    case "day":
      return {
        id: epochDay, label: () => `${yearText(year)}-${twoDigits(month)}-${twoDigits(day)}`, days: () => [epochDay, epochDay + 1],
      };
    case "week": {
      const week = isoWeekOf(epochDay);
      return {
        id: week.monday, label: () => `${yearText(week.year)}-W${twoDigits(week.week)}`, days: () => [week.monday, week.monday + 7],
      };
    }
    case "month":
      return monthsPeriod(year, month - 1, 1, () => `${yearText(year)}-${twoDigits(month)}`);
    case "quarter":
      return monthsPeriod(year, month - 1, 3, (index) => `${yearText(year)}-Q${index + 1}`);
    case "half-year":
      return monthsPeriod(year, month - 1, 6, (index) => `${yearText(year)}-H${index + 1}`);
    case "year":
      return yearsPeriod(year, 1);
    default:
      return yearsPeriod(year, level.years);
  }
}

/** Period of 1, 3 or 6 months; `monthIndex` counts from 0. */
function monthsPeriod(year: number, monthIndex: number, months: number, label: (index: number) => string): Period {
  const index = Math.floor(monthIndex / months);
  const next = (index + 1) * months;
  return {
    id: year * 12 + index,
    label: () => label(index),
    days: () => [
      epochDayOf({ year, month: index * months + 1, day: 1 }),
      next === 12 ? startOfYear(year + 1) : epochDayOf({ year, month: next + 1, day: 1 }),
    ],
  };
}

function yearsPeriod(year: number, years: number): Period {
  const first = Math.floor(year / years) * years;
  const last = first + years - 1;
  return {
    id: first,
    label: () => (years === 1 ? yearText(first) : `${yearText(first)}${first < 0 ? " to " : "-"}${yearText(last)}`),
    days: () => [startOfYear(first), startOfYear(first + years)],
  };
}

function twoDigits(n: number): string {
  return String(n).padStart(2, "0");
}

const RANKS = { day: 0, week: 1, month: 2, quarter: 3, "half-year": 4, year: 5 } as const;

function rankOf(level: DateLevel): number {
  return typeof level === "string" ? RANKS[level] : 5;
}

function yearsOf(level: DateLevel): number {
  return typeof level === "string" ? 1 : level.years;
}

function checkLevels(levels: readonly DateLevel[]): void {
  if (levels.length === 0) throw bad("A date hierarchy needs at least one level.");
  for (const level of levels) {
    const known = typeof level === "string" ? Object.hasOwn(RANKS, level) : Number.isSafeInteger(level.years) && level.years >= 1;
    if (!known) throw bad("A level of a date hierarchy is day, week, month, quarter, half-year, year or {years: n}.");
  }
  for (let i = 1; i < levels.length; i++) {
    const [finer, coarser] = [levels[i - 1]!, levels[i]!];
    const inOrder = rankOf(coarser) > rankOf(finer)
      || (rankOf(coarser) === 5 && rankOf(finer) === 5 && yearsOf(coarser) > yearsOf(finer));
    if (inOrder && finer !== "week" && yearsOf(coarser) % yearsOf(finer) === 0) continue;
    throw new PolicyError(
      "hierarchy/levels-do-not-nest",
      finer === "week"
        ? `Level ${i + 1} of a date hierarchy follows weeks, which cross the borders of months and years. Make week the last level.`
        : `Level ${i + 1} of a date hierarchy must be a coarser period that is a union of those of level ${i}.`,
      { level: i + 1 },
    );
  }
}

function levelName(level: DateLevel): string {
  return typeof level === "string" ? `${level}s` : `periods of ${level.years} years`;
}

function declaredDay(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const date = parseDate(text);
  if (date === undefined) throw bad(`${option} of a date hierarchy must be a date as YYYY-MM-DD.`);
  return epochDayOf(date);
}

function bad(message: string): PolicyError {
  return new PolicyError("hierarchy/bad-date", message);
}
