/** Days of the proleptic Gregorian calendar (years before 1583 and before 0001 included), counted from 1970-01-01 = 0. */

/** Days of 400 years, after which the calendar repeats. */
const DAYS_OF_400_YEARS = 146_097;

export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

/** Years begin in March here, so that the leap day is a year's last day and months before it need no case. */
export function epochDayOf({ year, month, day }: CalendarDate): number {
  const shifted = month <= 2 ? year - 1 : year;
  const cycle = Math.floor(shifted / 400);
  const yearOfCycle = shifted - cycle * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfCycle = yearOfCycle * 365 + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100) + dayOfYear;
  return cycle * DAYS_OF_400_YEARS + dayOfCycle - 719_468; // days from 0000-03-01 to 1970-01-01
}

/** Calendar year of a day. */
export function yearOfEpochDay(epochDay: number): number {
  let year = 1970 + Math.floor((epochDay * 400) / DAYS_OF_400_YEARS);
  // The mean year misses the border by a day or two at most.
  while (epochDay < startOfYear(year)) year--;
  while (epochDay >= startOfYear(year + 1)) year++;
  return year;
}

export function startOfYear(year: number): number {
  return epochDayOf({ year, month: 1, day: 1 });
}

export function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** ISO 8601 week: Monday to Sunday, in the year that holds its Thursday. */
export function isoWeekOf(epochDay: number): { year: number; week: number; monday: number } {
  const monday = Math.floor((epochDay + 3) / 7) * 7 - 3; // 1970-01-01 was a Thursday
  const year = yearOfEpochDay(monday + 3);
  return { year, week: Math.floor((monday + 3 - startOfYear(year)) / 7) + 1, monday };
}

const DATE = /^(-?\d{4,6})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Read YYYY-MM-DD, or the date part of a timestamp as it is written, whatever its zone; undefined for anything else. */
export function parseDate(text: string): CalendarDate | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined;
  return { year, month, day };
}

/** At least four digits: 0987, 2024, -0044. */
export function yearText(year: number): string {
  return year < 0 ? `-${String(-year).padStart(4, "0")}` : String(year).padStart(4, "0");
}
