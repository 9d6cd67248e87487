import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ToolMissing } from "../check.ts";
import { run, toolFolder } from "../tools.ts";

/** A type as Terraform writes it in JSON: "string", ["list", "string"], ["object", {…}]. */
export type TypeConstraint = string | readonly [string, TypeConstraint | Record<string, TypeConstraint>];

export interface Attribute {
  readonly type: TypeConstraint;
  readonly required: boolean;
  readonly optional: boolean;
  readonly computed: boolean;
}

export interface NestedBlock {
  readonly block: Block;
  readonly nesting: "single" | "list";
  readonly min: number;
  readonly max: number;
}

export interface Block {
  readonly attributes: Record<string, Attribute>;
  readonly blocks: Record<string, NestedBlock>;
}

export interface ProviderSchema {
  readonly provider: Block;
  readonly resources: Record<string, Block>;
  readonly dataSources: Record<string, Block>;
}

/** The package whose declarations are generated from the provider's own schema, and the provider's version. */
const bindings = { name: "@cdktn/provider-aws", version: "25.7.0" };
export const awsProviderVersion = "6.66.0";

/**
 * The schema of the resources and data sources that are named, read from the provider's published TypeScript
 * bindings: names, types, nesting, and what is required. Lists and sets look alike there, and what the provider
 * itself checks (CIDRs, enumerations, conflicts) is not in it.
 */
export function readSchema(resources: readonly string[], dataSources: readonly string[]): ProviderSchema {
  const folder = join(toolFolder, `aws-bindings-${bindings.version}`);
  const archive = join(folder, `cdktn-provider-aws-${bindings.version}.tgz`);
  if (!existsSync(archive)) {
    mkdirSync(folder, { recursive: true });
    const packed = run("npm", ["pack", `${bindings.name}@${bindings.version}`, "--silent"], { cwd: folder });
    if (!packed.ok) throw new ToolMissing(`${bindings.name} cannot be had: ${packed.output.slice(-300)}`);
  }
  const wanted = [
    "provider",
    ...resources.map(folderOf),
    ...dataSources.map((type) => `data-${type.replaceAll("_", "-")}`),
  ];
  const absent = wanted.filter((name) => !existsSync(join(folder, "package", "lib", name, "index.d.ts")));
  if (absent.length > 0) {
    run("tar", ["-xzf", archive, ...absent.map((name) => `package/lib/${name}/index.d.ts`)], { cwd: folder });
  }
  const block = (name: string): Block | undefined => {
    const file = join(folder, "package", "lib", name, "index.d.ts");
    return existsSync(file) ? readDeclarations(readFileSync(file, "utf8")) : undefined;
  };
  const all = (types: readonly string[], place: (type: string) => string): Record<string, Block> =>
    Object.fromEntries(
      types.flatMap((type) => {
        const found = block(place(type));
        return found === undefined ? [] : [[type, found]];
      }),
    );
  return {
    provider: block("provider") ?? { attributes: {}, blocks: {} },
    resources: all(resources, folderOf),
    dataSources: all(dataSources, (type) => `data-${type.replaceAll("_", "-")}`),
  };
}

const folderOf = (type: string): string => type.replace(/^aws_/, "").replaceAll("_", "-");

interface Declarations {
  readonly interfaces: ReadonlyMap<string, string>;
  readonly classes: ReadonlyMap<string, string>;
}

/** The main configuration of a file of declarations, as a block. */
export function readDeclarations(text: string): Block {
  // A map's type spans lines and has a semicolon in it: one word instead.
  const flat = text.replaceAll(/\{\s*\[key: string\]: ([^;]+);\s*\}/g, "Map<$1>");
  const bodies = (pattern: RegExp): Map<string, string> =>
    new Map([...flat.matchAll(pattern)].map(([, name = "", body = ""]) => [name, body]));
  const declarations: Declarations = {
    interfaces: bodies(/export interface (\w+)[^{]*\{\n([\s\S]*?)\n\}/g),
    classes: bodies(/export declare class (\w+)[^{]*\{\n([\s\S]*?)\n\}/g),
  };
  const config =
    [...declarations.interfaces.keys()].find(
      (name) => name.endsWith("Config") && flat.includes(`export interface ${name} extends`),
    ) ?? [...declarations.interfaces.keys()].find((name) => name.endsWith("ProviderConfig"));
  if (config === undefined) return { attributes: {}, blocks: {} };
  return blockOf(config, config.replace(/Config$/, ""), declarations);
}

function blockOf(name: string, reader: string, declarations: Declarations): Block {
  const attributes: Record<string, Attribute> = {};
  const blocks: Record<string, NestedBlock> = {};
  const body = declarations.interfaces.get(name) ?? "";
  for (const [, doc = "", property = "", optional, type = ""] of body.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+)(\?)?: ([^;]+);/g,
  )) {
    const key = /#(\w+) \w+#\w+\}/.exec(doc)?.[1] ?? snake(property);
    if (/^\s*\*?\s*\w+ block\s*$/m.test(doc)) {
      const inner = /^(\w+)/.exec(type)?.[1] ?? "";
      const many = type.includes("[]");
      blocks[key] = {
        block: blockOf(inner, `${inner}OutputReference`, declarations),
        nesting: key === "timeouts" ? "single" : "list",
        min: optional === undefined ? 1 : 0,
        max: many || key === "timeouts" ? 0 : 1,
      };
    } else {
      const required = optional === undefined;
      attributes[key] = { type: typeOf(type), required, optional: !required, computed: !required };
    }
  }
  for (const [key, type] of readable(reader, declarations)) {
    if (key in attributes || key in blocks) continue;
    attributes[key] = { type, required: false, optional: false, computed: true };
  }
  return { attributes, blocks };
}

/** What can be read of a resource or of a part of one, by its accessors. */
function readable(reader: string, declarations: Declarations): [string, TypeConstraint][] {
  const body = declarations.classes.get(reader) ?? "";
  return [...body.matchAll(/^ {4}get (\w+)\(\): ([^;]+);/gm)]
    .filter(([, name = ""]) => !name.endsWith("Input") && name !== "internalValue" && name !== "fqn")
    .map(([, name = "", type = ""]) => {
      const element = /^(\w+)List$/.exec(type)?.[1];
      const inner = element === undefined ? [] : readable(`${element}OutputReference`, declarations);
      return [snake(name), inner.length > 0 ? ["list", ["object", Object.fromEntries(inner)]] : typeOf(type)];
    });
}

function typeOf(text: string): TypeConstraint {
  if (/^string\b(?!\[)/.test(text)) return "string";
  if (/^number\b(?!\[)/.test(text)) return "number";
  if (/^boolean\b/.test(text) || text === "cdktn.IResolvable") return "bool";
  const list = /^(string|number)\[\]/.exec(text)?.[1];
  if (list !== undefined) return ["list", list];
  const map = /^Map<(string|number|boolean)/.exec(text)?.[1];
  if (map !== undefined) return ["map", map === "boolean" ? "bool" : map];
  if (/^cdktn\.StringMap$/.test(text)) return ["map", "string"];
  return "dynamic";
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
