/**
 * The policy reference as Markdown, from the JSON Schema of the policy format and the rules of the baseline profile.
 * Every text comes from there; this file only lays it out.
 */

export function policyReference(schema, profile) {
  const sections = [];
  describeObject(sections, "The policy", schema, "");
  const lines = [
    "# Policy reference",
    "",
    "Generated from the schema by `npm run docs`; do not edit. A policy is YAML, JSON or a TypeScript object, all with these fields.",
    "An unknown field is an error. Editors find the same information in `schema/policy.schema.json`.",
    "",
    ...sections.flat(),
    ...baselineSection(profile),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function describeObject(sections, title, schema, prefix) {
  const index = sections.length;
  sections.push([]);
  const rows = [];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const required = schema.required?.includes(name) ?? false;
    rows.push([`\`${name}\``, typeText(field), defaultText(field, required), field.description ?? ""]);
    descend(sections, path, field);
  }
  sections[index] = [`## ${title}`, "", ...table(["Field", "Type", "Default", "Meaning"], rows), ""];
}

/** Sections for the objects inside a field. */
function descend(sections, path, field) {
  const forms = formsOf(field);
  if (forms.length > 1 || field.oneOf !== undefined || field.anyOf !== undefined) {
    for (const form of forms) {
      if (form.type === "object" && form.properties !== undefined) describeForm(sections, path, form);
      else descend(sections, path, form);
    }
    return;
  }
  if (field.type === "array") return descend(sections, `${path}[]`, field.items);
  if (field.type !== "object") return;
  if (field.properties !== undefined) return describeObject(sections, `\`${path}\``, field, path);
  if (typeof field.additionalProperties === "object") descend(sections, `${path}.<name>`, field.additionalProperties);
}

/** The same hierarchy forms occur twice; they are described where they have a name. */
function describeForm(sections, path, form) {
  if (path === "columns.<name>.hierarchy") return;
  const tag = Object.entries(form.properties)
    .filter(([, field]) => field.const !== undefined)
    .map(([name, field]) => `${name}: ${field.const}`)
    .join(", ");
  describeObject(sections, tag === "" ? `\`${path}\`` : `\`${path}\` with \`${tag}\``, form, path);
}

/** Alternatives of a field, unions inside unions laid flat. */
function formsOf(field) {
  const forms = field.oneOf ?? field.anyOf;
  return forms === undefined ? [field] : forms.flatMap(formsOf);
}

function typeText(field) {
  const forms = formsOf(field);
  if (forms.length > 1) return [...new Set(forms.map(typeText))].join(" or ");
  const [form] = forms;
  if (form !== field) return typeText(form);
  if (field.const !== undefined) return code(field.const);
  if (field.enum !== undefined) return field.enum.map(code).join(", ");
  switch (field.type) {
    case "string":
      return field.format === "date" ? "date, YYYY-MM-DD" : field.format === "email" ? "e-mail address" : "text";
    case "integer":
      return `whole number${rangeText(field)}`;
    case "number":
      return `number${rangeText(field)}`;
    case "boolean":
      return "true or false";
    case "array":
      return `list of: ${typeText(field.items)}`;
    default:
      return field.properties === undefined ? "entries by name" : "fields below";
  }
}

function rangeText({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
  const far = (bound) => bound === undefined || Math.abs(bound) >= Number.MAX_SAFE_INTEGER;
  const parts = [];
  if (!far(minimum)) parts.push(`at least ${minimum}`);
  if (!far(exclusiveMinimum)) parts.push(`greater than ${exclusiveMinimum}`);
  if (!far(maximum)) parts.push(`at most ${maximum}`);
  if (!far(exclusiveMaximum)) parts.push(`less than ${exclusiveMaximum}`);
  return parts.length === 0 ? "" : `, ${parts.join(", ")}`;
}

function defaultText(field, required) {
  if (required) return "required";
  if (field.default === undefined) return "none";
  return code(typeof field.default === "string" ? field.default : JSON.stringify(field.default));
}

function baselineSection(profile) {
  const rules = profile.requirementRules.map((rule) => [
    code(rule.id),
    [`from tier ${rule.when.tier}`, ...(rule.when.measured ?? []).map(conditionText)].join(", "),
    rule.requires.requirement,
    ["direct-identifiers-removed", "complementary-suppression"].includes(rule.requires.requirement) ? "always" : String(rule.requires.value),
    `${rule.reasoning} Source: ${rule.source} (${rule.status}).`,
  ]);
  const tiers = [profile.unknownClassification, ...profile.tierRules].map((rule) => [
    code(rule.id),
    rule.when === undefined ? "classification unknown" : rule.when.map(conditionText).join(", "),
    rule.raises === undefined ? rule.tier : "steps" in rule.raises ? `${rule.raises.steps} step up` : `at least ${rule.raises.atLeast}`,
    `${rule.reasoning} Source: ${rule.source} (${rule.status}).`,
  ]);
  return [
    `## Requirements: \`${profile.name}\`, edition ${profile.edition}`,
    "",
    "The declared classification and the measured risk give a tier: low, moderate or high. The tier gives the least protection.",
    "A policy may ask for more. It may ask for less only with an entry under `overrides`, which goes into the evidence.",
    "Status: *verified* means that the cited text was read, *secondary* that a text about it was, *proposed* that the value is our own.",
    "",
    "### What raises the tier",
    "",
    ...table(["Rule", "When", "Tier", "Why"], tiers),
    "",
    "### What each tier requires",
    "",
    ...table(["Rule", "When", "Requirement", "Value", "Why"], rules),
    "",
  ];
}

function conditionText({ input, bound }) {
  return `${input} ${bound} or ${input === "smallestClass" ? "less" : "more"}`;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(line)];
}

function code(text) {
  return `\`${text}\``;
}
