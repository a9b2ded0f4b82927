export {
  epsilonOfScale, exactBudget, rhoOfSigmaSquared, scaleFor, sigmaSquaredFor, splitBudget, sumOf,
  type Budget, type ExactBudget, type Mechanism,
} from "./budget.ts";
export { deltaOfRho, epsilonAtOrder, epsilonOfRho, rhoOfEpsilon, simpleEpsilonOfRho } from "./zcdp.ts";
