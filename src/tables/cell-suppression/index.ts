export { planCellSuppression, type CellSuppressionInput, type CellSuppressionPlan } from "./plan.ts";
