export { coalesce, type RunTogether } from "./coalesce.ts";
export { runTogether, type Waiting } from "./waiting.ts";
