import { z } from "zod";

/** The settings of a schema as a Markdown table, for a README: name, default, meaning. */
export function settingsTable(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([name, field]) => {
    const { fallback, meaning } = describe(field as z.ZodType);
    return `| \`${name}\` | ${fallback} | ${meaning} |`;
  });
  return ["| name | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}

function describe(field: z.ZodType): { fallback: string; meaning: string } {
  if (field instanceof z.ZodDefault) {
    const inner = describe(field.unwrap() as z.ZodType);
    const { defaultValue } = field.def;
    // A list or a record that is empty until somebody fills it.
    const text = typeof defaultValue === "string" ? defaultValue : JSON.stringify(defaultValue);
    const fallback = typeof defaultValue === "object" ? "none" : `\`${text}\``;
    return { fallback, meaning: field.description ?? inner.meaning };
  }
  if (field instanceof z.ZodOptional) {
    const inner = describe(field.unwrap() as z.ZodType);
    return { fallback: "none", meaning: field.description ?? inner.meaning };
  }
  return { fallback: "required", meaning: field.description ?? "" };
}
