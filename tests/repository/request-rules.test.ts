import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

interface FieldRules {
  readonly string?: { readonly maxLen?: string };
  readonly cel?: readonly unknown[];
}

interface Field {
  readonly name: string;
  readonly type: string;
  readonly options?: { readonly "[buf.validate.field]"?: FieldRules };
}

interface FileDescriptorSet {
  readonly file: readonly {
    readonly package?: string;
    readonly messageType?: readonly { readonly name: string; readonly field?: readonly Field[] }[];
    readonly service?: readonly { readonly method?: readonly { readonly inputType: string }[] }[];
  }[];
}

it("every text of a request has a bound in its proto", () => {
  const cwd = fileURLToPath(new URL("../../proto", import.meta.url));
  const args = ["build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=json"];
  const { stdout, stderr, status } = spawnSync("buf", args, { cwd, encoding: "utf8", maxBuffer: 64e6 });
  if (status !== 0) throw new Error(`buf build: ${stderr}`);
  const { file } = JSON.parse(stdout) as FileDescriptorSet;
  const ours = file.filter((each) => each.package?.startsWith("chirrup."));
  const inputs = new Set(
    ours.flatMap(({ service = [] }) =>
      service.flatMap(({ method = [] }) => method.map(({ inputType }) => inputType)),
    ),
  );
  const texts = ours.flatMap(({ package: name = "", messageType = [] }) =>
    messageType
      .filter((message) => inputs.has(`.${name}.${message.name}`))
      .flatMap((message) =>
        (message.field ?? [])
          .filter(({ type }) => type === "TYPE_STRING" || type === "TYPE_BYTES")
          .map((field) => ({
            of: `${message.name}.${field.name}`,
            rules: field.options?.["[buf.validate.field]"],
          })),
      ),
  );
  expect(texts.length).toBeGreaterThan(25);
  const bounded = (rules: FieldRules | undefined): boolean =>
    rules?.string?.maxLen !== undefined || rules?.cel !== undefined;
  expect(texts.filter(({ rules }) => !bounded(rules)).map(({ of }) => of)).toEqual([]);
});
