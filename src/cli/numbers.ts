/** Numbers for people. The thousands separator does not follow the locale, so that output can be compared. */

/** 30,162 */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** "1 record", "2 records" */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

/** A share from 0 to 1 as a percentage; what is not 0 never reads as 0, and what is not all never as all. */
export function percent(share: number): string {
  if (share > 0 && share < 0.0001) return "< 0.01 %";
  if (share < 1 && share > 0.9999) return "> 99.99 %";
  return `${Number((share * 100).toFixed(2))} %`;
}

/** A measure of loss or risk: four significant digits. */
export function measure(value: number): string {
  return value === 0 ? "0" : String(Number(value.toPrecision(4)));
}

/** 12.3 MB; powers of ten, as disks are sold. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  for (const [unit, size] of [["kB", 1e3], ["MB", 1e6], ["GB", 1e9]] as const) {
    if (n >= size * 1000 && unit !== "GB") continue;
    return `${n / size < 10 ? (n / size).toFixed(1) : Math.round(n / size)} ${unit}`;
  }
  return `${n} B`;
}

/** "4 s", "2 min 05 s" */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
