export { countAmount, measureAmount, valuesAmount, weightAmount, type Amount } from "./amounts.ts";
export { twiceMedians, type ValueEntries } from "./median.ts";
export { roundedRatio } from "./ratio.ts";
export { statisticColumn, type StatisticInputs } from "./statistics.ts";
