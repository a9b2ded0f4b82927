export { arrowSource, type ArrowSourceOptions } from "./arrow-source.ts";
