export { toldByCodes } from "./told-by-codes.ts";
export { planCellSuppression, type CellSuppressionInput, type CellSuppressionPlan } from "./plan.ts";
