// Lists the operations of /openapi.json and lets one try them. Text from the document is only ever set as text.
// A browser runs this file as it is, so it has no types to check.
/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument */

const byId = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const api = await (await fetch("/openapi.json")).json();
const schemaOf = (schema) =>
  schema?.$ref === undefined ? (schema ?? {}) : api.components.schemas[schema.$ref.split("/").at(-1)];

/** A value to begin with. */
function example(given, depth = 3) {
  const schema = schemaOf(given);
  const type = Array.isArray(schema.type) ? schema.type.at(-1) : schema.type;
  if (schema.enum !== undefined) return schema.enum[0];
  if (type === "array") return depth === 0 ? [] : [example(schema.items, depth - 1)];
  if (type === "object") {
    if (depth === 0) return {};
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, value]) => [name, example(value, depth - 1)]),
    );
  }
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return 0;
  if (schema.format === "int64" || schema.format === "uint64") return "0";
  return type === "string" ? "" : null;
}

function field(parameter) {
  const input = element("input", { name: parameter.name, required: parameter.required });
  const label = element(
    "label",
    { className: "field" },
    element("code", { textContent: parameter.name }),
    input,
  );
  const { type = "any", format } = parameter.schema;
  const kind = [type]
    .flat()
    .concat(format ?? [])
    .join(" ");
  const hint = [kind, parameter.description].filter(Boolean).join(" – ");
  label.append(element("span", { className: "hint", textContent: hint }));
  return { label, input, parameter };
}

function operation(method, path, operation) {
  const fields = (operation.parameters ?? []).map(field);
  const body = operation.requestBody?.content["application/json"];
  const text =
    body &&
    element("textarea", {
      rows: 6,
      spellcheck: false,
      value: JSON.stringify(example(body.schema), null, 2),
    });
  const answer = element("pre", { hidden: true });
  const limits = operation["x-rate-limits"].map(
    ({ name, key, limit, windowMs }) => `${name}: ${limit} in ${windowMs / 1000} s per ${key.join(" + ")}`,
  );
  const facts = [
    operation.security?.length === 0 ? "anybody may call" : "for signed-in callers",
    `costs ${operation["x-cost"]}`,
    ...limits,
  ];
  const form = element(
    "form",
    {},
    element("p", { className: "text", textContent: operation.description ?? "" }),
    element("p", { className: "facts", textContent: facts.join(" · ") }),
    ...fields.map(({ label }) => label),
    ...(text ? [text] : []),
    element("button", { textContent: "Send" }),
    answer,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(method, path, fields, text, answer);
  });
  return element(
    "details",
    {},
    element(
      "summary",
      {},
      element("span", { className: "method", textContent: method.toUpperCase() }),
      element("code", { textContent: path }),
      element("span", { className: "summary", textContent: operation.summary }),
    ),
    form,
  );
}

async function send(method, path, fields, text, answer) {
  let target = path;
  const query = new URLSearchParams();
  for (const { input, parameter } of fields) {
    const { name } = parameter;
    if (parameter.in === "path") target = target.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value !== "") {
      const values = parameter.schema.type === "array" ? input.value.split(",") : [input.value];
      for (const value of values) query.append(name, value);
    }
  }
  const token = byId("token").value;
  const headers = { accept: "application/json" };
  if (token !== "") headers.authorization = `Bearer ${token}`;
  if (text !== undefined) headers["content-type"] = "application/json";
  answer.hidden = false;
  answer.textContent = "…";
  const startedMs = performance.now();
  try {
    const url = query.size === 0 ? target : `${target}?${query}`;
    const response = await fetch(url, { method: method.toUpperCase(), headers, body: text?.value });
    const received = await response.text();
    const head = `${response.status} in ${Math.round(performance.now() - startedMs)} ms`;
    const limit = response.headers.get("ratelimit");
    answer.textContent = [head, limit && `RateLimit: ${limit}`, "", pretty(received)]
      .filter((line) => line !== null)
      .join("\n");
  } catch (error) {
    answer.textContent = String(error);
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

byId("title").textContent = `${api.info.title} ${api.info.version}`;
document.title = api.info.title;
const sections = api.tags.map(({ name, description }) =>
  element(
    "section",
    {},
    element("h2", { textContent: name }),
    element("p", { className: "text", textContent: description }),
    ...Object.entries(api.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { tags }]) => tags.includes(name))
        .map(([method, each]) => operation(method, path, each)),
    ),
  ),
);
byId("operations").replaceChildren(...sections);
