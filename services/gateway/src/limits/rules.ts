import { z } from "zod";
import type { Route } from "../routing/route-table.ts";

const keyPattern = /^(?:ip|user|route|method|header:[a-z0-9-]{1,64})$/;
export type KeyPart = "ip" | "user" | "route" | "method" | `header:${string}`;

/** What happens to a request while Redis does not answer. */
const failModes = ["local", "open", "closed"] as const;

/** One rate limit: a token bucket for each combination of its key's parts. */
export interface Rule {
  readonly name: string;
  readonly match: {
    /** Names of routes, "POST /api/v1/login"; all when absent. */
    readonly routes?: readonly string[] | undefined;
    /** Names of routes that the rule leaves out. */
    readonly except?: readonly string[] | undefined;
    /** HTTP methods; all when absent. */
    readonly methods?: readonly string[] | undefined;
    /** Only routes that anybody may call, or only the others. */
    readonly public?: boolean | undefined;
    /** Only callers who are signed in, or only those who are not. */
    readonly signedIn?: boolean | undefined;
  };
  readonly key: readonly KeyPart[];
  /** Names of the headers in its key; undefined for none. */
  readonly headers?: readonly string[] | undefined;
  /** Tokens that come back in a window. */
  readonly limit: number;
  readonly windowMs: number;
  /** The most a bucket holds. */
  readonly burst: number;
  /** local: a bucket of this process with its share; open: let in; closed: 503. */
  readonly fail: (typeof failModes)[number];
  /** Counts, and denies nobody: to see what a rule would do. */
  readonly dryRun?: boolean | undefined;
}

/** Within these the script's numbers stay exact: burst × window and elapsed × limit below 2^53. */
const maxUnits = 2 ** 52;
const maxWindowMs = 7 * 86_400_000;
const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const keyFault = "must be ip, user, route, method or header:name";
const count = z.number().int().min(1).max(1e9);

const fields = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, "must be 1 to 32 of a-z, 0-9 and -")
    .describe("stands in the RateLimit headers"),
  key: z
    .array(z.custom<KeyPart>((part) => typeof part === "string" && keyPattern.test(part), keyFault))
    .refine((parts) => parts.includes("ip") || parts.includes("user"), { error: "must have ip or user" })
    .describe(
      "of `ip`, `user`, `route`, `method`, `header:name`: one bucket for each combination; with `ip` or `user`",
    ),
  limit: count.describe("tokens that come back in a window"),
  window: z
    .string()
    .regex(/^[1-9][0-9]{0,8}(?:ms|s|m|h|d)$/, "must be a number with ms, s, m, h or d")
    .transform((text) => Number.parseInt(text, 10) * (unitMs[text.replace(/^[0-9]+/, "")] ?? 0))
    .refine((ms) => ms <= maxWindowMs, "must not be longer than 7d")
    .describe("`500ms`, `10s`, `1m`, `1h`, `1d`"),
  burst: count.optional().describe("the most a bucket holds; `limit` when absent"),
  match: z
    .strictObject({
      routes: z.array(z.string()).min(1).optional(),
      except: z.array(z.string()).min(1).optional(),
      methods: z
        .array(z.string().regex(/^[A-Z]+$/))
        .min(1)
        .optional(),
      public: z.boolean().optional(),
      signedIn: z.boolean().optional(),
    })
    .default({})
    .describe(
      '`routes` ("POST /api/v1/login") or all `except` some, `methods`, `public` routes or others, `signedIn`; all without it',
    ),
  fail: z
    .enum(failModes)
    .default("local")
    .describe(
      "while Redis is away: `local` counts here with limit ÷ `GATEWAYS`, `open` lets in, `closed` answers 503",
    ),
  dryRun: z
    .boolean()
    .default(false)
    .describe(
      "counts and denies nobody: `chirrup_gateway_rate_dry_run_denials_total{rule}` says whom it would deny",
    ),
});

/** What a rule may hold, for the README's table. */
export const ruleFields: z.ZodObject = fields;

const ruleSchema = fields
  .transform(({ window: windowMs, burst, ...rule }): Rule => ({
    ...rule,
    headers: headersOf(rule.key),
    windowMs,
    burst: burst ?? rule.limit,
  }))
  .refine(
    ({ burst, windowMs }) => burst * windowMs <= maxUnits,
    "burst × window is too large to be counted exactly",
  )
  .refine(
    ({ key, match }) => !(key.includes("user") && match.signedIn === false),
    "has a user in its key but none to ask",
  );

function headersOf(key: readonly KeyPart[]): readonly string[] | undefined {
  const names = key.filter((part) => part.startsWith("header:")).map((part) => part.slice("header:".length));
  return names.length === 0 ? undefined : names;
}

const rulesSchema = z.strictObject({ rules: z.array(ruleSchema) });

/** Checks the content of a rules file. Throws an Error that names each fault. */
export function parseRules(content: unknown): readonly Rule[] {
  const result = rulesSchema.safeParse(content);
  if (!result.success) {
    throw new Error(
      result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  }
  const { rules } = result.data;
  const names = new Set<string>();
  for (const { name } of rules) {
    if (names.has(name)) throw new Error(`two rules are named ${name}`);
    names.add(name);
  }
  return rules;
}

/** The rules of one route, by when they can be applied. */
export interface RouteRules {
  /** Before it is known who calls. */
  readonly early: readonly Rule[];
  /** After that. */
  readonly late: readonly Rule[];
  /** Both, for when it is known from the start. */
  readonly all: readonly Rule[];
}

export interface RuleIndex {
  readonly of: (route: Route) => RouteRules;
  /** For requests that match no route: the rules that ask nothing of one. */
  readonly withoutRoute: RouteRules;
}

/** Finds each route's rules once. Throws when a rule names a route that is not there, or could never let it pass. */
export function indexRules(rules: readonly Rule[], routes: readonly Route[]): RuleIndex {
  const names = new Set(routes.map(({ name }) => name));
  for (const { name, match } of rules) {
    const unknown = [...(match.routes ?? []), ...(match.except ?? [])].find((route) => !names.has(route));
    if (unknown !== undefined) throw new Error(`rule ${name}: there is no route "${unknown}"`);
  }
  const index = new Map(
    routes.map((route) => {
      const matching = rules.filter((rule) => matches(rule, route));
      for (const { name, burst } of matching) {
        if (burst < route.needs.cost) {
          throw new Error(
            `rule ${name}: a burst of ${burst} never lets ${route.name} pass, which costs ${route.needs.cost}`,
          );
        }
      }
      return [route, split(matching)];
    }),
  );
  const withoutRoute = split(
    rules.filter(
      ({ match }) =>
        match.routes === undefined &&
        match.except === undefined &&
        match.methods === undefined &&
        match.public === undefined,
    ),
  );
  return { of: (route) => index.get(route) ?? withoutRoute, withoutRoute };
}

function matches({ match }: Rule, route: Route): boolean {
  return (
    (match.routes?.includes(route.name) ?? true) &&
    match.except?.includes(route.name) !== true &&
    (match.methods?.includes(route.httpMethod) ?? true) &&
    (match.public ?? route.needs.isPublic) === route.needs.isPublic
  );
}

function split(rules: readonly Rule[]): RouteRules {
  const isLate = ({ key, match }: Rule): boolean => key.includes("user") || match.signedIn !== undefined;
  return { early: rules.filter((rule) => !isLate(rule)), late: rules.filter(isLate), all: rules };
}
