/** What names of columns say. Patterns are tried on the words of a name, in lower case with single spaces. */

/** "DateOfBirth", "PATIENT_ID", "zip5" and "Marital-Status" as words. */
export function wordsOf(name: string): string {
  return name
    .normalize("NFKC")
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .replace(/(\p{L})(\d)/gu, "$1 $2")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
    .toLowerCase();
}

/** A pattern of whole words. Line breaks and the spaces after them do not count. */
function any({ raw }: TemplateStringsArray): RegExp {
  return new RegExp(`\\b(?:${raw.join("").replaceAll(/\s*\n\s*/g, "")})\\b`);
}

export interface NamePattern {
  readonly pattern: RegExp;
  /** What the column seems to be, for the comment. */
  readonly what: string;
}

export const DIRECT: readonly NamePattern[] = [
  {
    pattern: any`
      ssn|social ?security|soc ?sec|itin|tin|passport|driver s? ?licen[cs]e|
      licen[cs]e (?:no|num|number|plate)|plate|vin
    `,
    what: "a number issued to a person",
  },
  {
    pattern: any`
      mrn|medical ?record|hic|hicn|mbi|cin|
      (?:medicaid|medicare|medi cal|beneficiary|subscriber|policy) (?:id|no|num|number)
    `,
    what: "a number of a patient or member",
  },
  { pattern: any`(?:account|acct|iban|credit ?card|card) ?(?:no|num|number|id)?`, what: "a number of an account" },
  {
    pattern: any`
      (?:first|last|middle|full|given|family|maiden|sur|user|nick|legal|preferred|display) ?names?|
      surname|forename|fname|lname|mname|initials
    `,
    what: "a name of a person",
  },
  {
    pattern: any`
      (?:patient|client|member|student|pupil|teacher|employee|person|people|customer|owner|tenant|respondent|
      applicant|victim|suspect|defendant|parent|mother|father|guardian|spouse|child|contact|physician|doctor|
      caregiver|author)s?(?: s)? ?name|name (?:first|last|middle)
    `,
    what: "a name of a person",
  },
  { pattern: any`e ?mail`, what: "an e-mail address" },
  { pattern: any`phone|telephone|tel|mobile|cell ?phone|fax`, what: "a telephone number" },
  { pattern: any`address|addr|street|apartment|apt|house (?:no|num|number)|po box`, what: "an address" },
  {
    pattern: any`latitude|longitude|lat|lon|lng|geometry|geom|coordinates?|geocode|x coord|y coord`,
    what: "an exact place",
  },
  {
    pattern: any`url|website|ip|mac address|device id|imei|user agent|cookie`,
    what: "an address of a device or page",
  },
  { pattern: any`photo|image|picture|fingerprint|biometric|signature`, what: "a picture or a trait of the body" },
];

/** Numbers of records or persons; direct or contributor, depending on how often a value repeats. */
export const IDENTIFIER = any`
  (?:ids?|uuid|guid|identifier|key|nbr|no|num|number|serial|ref|reference|index|rowid|seq|sequence|unnamed \d+)$|
  ^(?:id|row|record|case|unnamed)
`;
export const PERSON = any`
  person|patient|client|member|student|pupil|employee|customer|subject|participant|respondent|user|individual|
  resident|beneficiary|contributor|people
`;

export const FREE_TEXT = any`
  notes?|comments?|narrative|remarks?|free ?text|memo|description|details?|message
`;

/** Of numbers: something that is added up or averaged. */
export const MEASURE = any`
  amount|total|sum|cost|price|charges?|paid|payments?|hours|minutes|days|distance|quantity|qty|rate|ratio|percent|
  pct|mean|average|gain|loss|balance|fee
`;

/** A column that says how many people a record stands for. */
export const FREQUENCY = any`
  population|pop|counts?|freq|frequency|persons|people|headcount|enrol?lment|residents|cases|deaths|patients|
  number of (?:people|persons|records)|^n$
`;
export const WEIGHT = any`
  fnlwgt|fnl ?wt|final ?(?:weight|wgt|wt)|
  (?:per|person|sample|sampling|survey|design|household|hh|pw|replicate) ?(?:weight|wgt|wt|gt)|pwgtp?|perwt|
  wtfinl|pwsswgt|hwtfinl
`;

export const SENSITIVE: readonly NamePattern[] = [
  {
    pattern: any`
      diagnos\w*|dx|icd|disease|illness|condition|comorbid\w*|symptoms?|cause of (?:death|injury)|death cause|
      reason|allerg\w*|cancer|diabetes|asthma
    `,
    what: "health",
  },
  {
    pattern: any`
      procedures?|cpt|hcpcs|drg|drugs?|medications?|prescriptions?|rx|ndc|treatments?|therapy|surgery|
      test ?results?|lab|results?|genetic\w*|genotype|vaccin\w*|immuni[sz]ation\w*
    `,
    what: "health care",
  },
  {
    pattern: any`
      hiv|aids|std|sti|mental|psychiatric|depress\w*|suicid\w*|substance|alcohol|opioid|smok\w*|tobacco|
      pregnan\w*|abortion|contracept\w*|disab\w*
    `,
    what: "health with stigma",
  },
  {
    pattern: any`
      income|salary|wages?|earnings?|pay|benefits?|debt|credit score|loan|bankrupt\w*|payer|insurance|
      medi cal|medicaid|calfresh|calworks|snap|tanf|welfare|assistance|net worth|assets
    `,
    what: "income and benefits",
  },
  {
    pattern: any`
      arrests?|offen[sc]es?|crimes?|conviction\w*|sentence|probation|parole|felony|misdemeanor|violation|
      incident type|use of force|suspension|expulsion|disciplin\w*
    `,
    what: "offences and discipline",
  },
  {
    pattern: any`
      sexual|orientation|gender identity|lgbt\w*|religio\w*|faith|immigration|visa|legal status|union|
      politic\w*|party|vote\w*
    `,
    what: "belief, belonging or orientation",
  },
  { pattern: any`gpa|test scores?|scores?|outcome|rating|evaluation`, what: "a judgement about a person" },
];

/** How a quasi-identifier can be coarsened follows from its kind. */
export type QuasiKind = "age" | "birth" | "date" | "year" | "zip" | "place-code" | "place" | "trait";

export const QUASI: readonly (NamePattern & { readonly kind: QuasiKind })[] = [
  { pattern: any`dob|birth ?da(?:te|y)|date ?of ?birth|born(?: on)?`, what: "a date of birth", kind: "birth" },
  { pattern: any`birth ?year|year ?of ?birth|yob`, what: "a year of birth", kind: "year" },
  { pattern: any`age`, what: "an age", kind: "age" },
  { pattern: any`zip(?: ?code)?|zcta|postal(?: ?code)?|post ?code`, what: "a postal code", kind: "zip" },
  {
    pattern: any`fips|geo ?id|census tract|tract|block(?: ?group)?|puma`,
    what: "a code of a place",
    kind: "place-code",
  },
  {
    pattern: any`
      county|city|town|municipality|state|province|region|district|neighbou?rhood|community|area|location|
      place|residence|country|nation\w*|birthplace|zone|ward|precinct|catchment|geograph\w*
    `,
    what: "a place",
    kind: "place",
  },
  {
    pattern: any`hospital|facility|clinic|provider|school|agency|department|site|campus|employer|program`,
    what: "a place that a person went to",
    kind: "place",
  },
  { pattern: any`year|yr`, what: "a year", kind: "year" },
  {
    pattern: any`date|day|month|admi(?:t|ssion)\w*|discharged?|visit|service date|timestamp|time`,
    what: "a time",
    kind: "date",
  },
  { pattern: any`sex|gender`, what: "sex or gender", kind: "trait" },
  {
    pattern: any`race|ethnic\w*|hispanic|latin[oax]|ancestry|tribe|origin`,
    what: "race or ethnicity",
    kind: "trait",
  },
  {
    pattern: any`
      citizen\w*|languages?|marital|married|civil status|relationship|household|hh|famil(?:y|ies)|children|
      kids|dependents?|living arrangement
    `,
    what: "family and origin",
    kind: "trait",
  },
  {
    pattern: any`
      educat\w*|degree|schooling|grade(?: level)?|major|occupation|jobs?|profession|industry|employ\w*|
      work ?class|worker|veteran|military
    `,
    what: "education and work",
    kind: "trait",
  },
  {
    pattern: any`height|weight|bmi|eye colou?r|hair|blood type|build`, what: "a trait of the body", kind: "trait",
  },
  {
    pattern: any`housing|tenure|rent|vehicle|car|make|model|ownership|status|type|class|category|group`,
    what: "a category",
    kind: "trait",
  },
];

export function matching<Pattern extends NamePattern>(
  words: string, patterns: readonly Pattern[],
): Pattern | undefined {
  return patterns.find(({ pattern }) => pattern.test(words));
}
