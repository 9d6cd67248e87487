export { coalesce, type RunTogether } from "./coalesce.ts";
