export * from "./cursors.ts";
export * from "./page-size.ts";
