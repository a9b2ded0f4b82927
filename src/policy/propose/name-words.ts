/** What names of columns say. Each list is tried on the words of a name, in lower case with single spaces between them. */

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

export interface NamePattern {
  readonly pattern: RegExp;
  /** What the column seems to be, for the comment. */
  readonly what: string;
}

export const DIRECT: readonly NamePattern[] = [
  { pattern: /\b(?:ssn|social ?security|soc ?sec|itin|tin|passport|driver s? ?licen[cs]e|licen[cs]e (?:no|num|number|plate)|plate|vin)\b/, what: "a number issued to a person" },
  { pattern: /\b(?:mrn|medical ?record|hic|hicn|mbi|cin|(?:medicaid|medicare|medi cal|beneficiary|subscriber|policy) (?:id|no|num|number))\b/, what: "a number of a patient or member" },
  { pattern: /\b(?:account|acct|iban|credit ?card|card) ?(?:no|num|number|id)?\b/, what: "a number of an account" },
  { pattern: /\b(?:first|last|middle|full|given|family|maiden|sur|user|nick|legal|preferred|display) ?names?\b|\b(?:surname|forename|fname|lname|mname|initials)\b/, what: "a name of a person" },
  { pattern: /\b(?:patient|client|member|student|pupil|teacher|employee|person|people|customer|owner|tenant|respondent|applicant|victim|suspect|defendant|parent|mother|father|guardian|spouse|child|contact|physician|doctor|caregiver|author)s?(?: s)? ?name\b|\bname (?:first|last|middle)\b/, what: "a name of a person" },
  { pattern: /\b(?:e ?mail)\b/, what: "an e-mail address" },
  { pattern: /\b(?:phone|telephone|tel|mobile|cell ?phone|fax)\b/, what: "a telephone number" },
  { pattern: /\b(?:address|addr|street|apartment|apt|house (?:no|num|number)|po box)\b/, what: "an address" },
  { pattern: /\b(?:latitude|longitude|lat|lon|lng|geometry|geom|coordinates?|geocode|x coord|y coord)\b/, what: "an exact place" },
  { pattern: /\b(?:url|website|ip|mac address|device id|imei|user agent|cookie)\b/, what: "an address of a device or page" },
  { pattern: /\b(?:photo|image|picture|fingerprint|biometric|signature)\b/, what: "a picture or a trait of the body" },
];

/** Numbers of records or persons; direct or contributor, depending on how often a value repeats. */
export const IDENTIFIER = /\b(?:id|ids|uuid|guid|identifier|key|nbr|no|num|number|serial|ref|reference|index|rowid|seq|sequence|unnamed \d+)$|^(?:id|row|record|case|unnamed)\b/;
export const PERSON = /\b(?:person|patient|client|member|student|pupil|employee|customer|subject|participant|respondent|user|individual|resident|beneficiary|contributor|people)\b/;

export const FREE_TEXT = /\b(?:notes?|comments?|narrative|remarks?|free ?text|memo|description|details?|message)\b/;

/** A column that says how many people a record stands for. */
export const FREQUENCY = /\b(?:population|pop|counts?|freq|frequency|persons|people|headcount|enrol?lment|residents|cases|deaths|patients|number of (?:people|persons|records))\b|^n$/;
export const WEIGHT = /\b(?:fnlwgt|fnl ?wt|final ?(?:weight|wgt|wt)|(?:per|person|sample|sampling|survey|design|household|hh|pw|replicate) ?(?:weight|wgt|wt|gt)|pwgtp?|perwt|wtfinl|pwsswgt|hwtfinl)\b/;

export const SENSITIVE: readonly NamePattern[] = [
  { pattern: /\b(?:diagnos\w*|dx|icd|disease|illness|condition|comorbid\w*|symptoms?|cause of (?:death|injury)|death cause|reason|allerg\w*|cancer|diabetes|asthma)\b/, what: "health" },
  { pattern: /\b(?:procedures?|cpt|hcpcs|drg|drugs?|medications?|prescriptions?|rx|ndc|treatments?|therapy|surgery|test ?results?|lab|results?|genetic\w*|genotype|vaccin\w*|immuni[sz]ation\w*)\b/, what: "health care" },
  { pattern: /\b(?:hiv|aids|std|sti|mental|psychiatric|depress\w*|suicid\w*|substance|alcohol|opioid|smok\w*|tobacco|pregnan\w*|abortion|contracept\w*|disab\w*)\b/, what: "health with stigma" },
  { pattern: /\b(?:income|salary|wages?|earnings?|pay|benefits?|debt|credit score|loan|bankrupt\w*|payer|insurance|medi cal|medicaid|calfresh|calworks|snap|tanf|welfare|assistance|net worth|assets)\b/, what: "income and benefits" },
  { pattern: /\b(?:arrests?|offen[sc]es?|crimes?|conviction\w*|sentence|probation|parole|felony|misdemeanor|violation|incident type|use of force|suspension|expulsion|disciplin\w*)\b/, what: "offences and discipline" },
  { pattern: /\b(?:sexual|orientation|gender identity|lgbt\w*|religio\w*|faith|immigration|visa|legal status|union|politic\w*|party|vote\w*)\b/, what: "belief, belonging or orientation" },
  { pattern: /\b(?:gpa|test scores?|scores?|outcome|rating|evaluation)\b/, what: "a judgement about a person" },
];

/** How a quasi-identifier can be coarsened follows from its kind. */
export type QuasiKind = "age" | "birth" | "date" | "year" | "zip" | "place-code" | "place" | "trait";

export const QUASI: readonly (NamePattern & { readonly kind: QuasiKind })[] = [
  { pattern: /\b(?:dob|birth ?da(?:te|y)|date ?of ?birth|born(?: on)?)\b/, what: "a date of birth", kind: "birth" },
  { pattern: /\b(?:birth ?year|year ?of ?birth|yob)\b/, what: "a year of birth", kind: "year" },
  { pattern: /\bage\b|^age(?: |$)/, what: "an age", kind: "age" },
  { pattern: /\b(?:zip(?: ?code)?|zcta|postal(?: ?code)?|post ?code)\b/, what: "a postal code", kind: "zip" },
  { pattern: /\b(?:fips|geo ?id|census tract|tract|block(?: ?group)?|puma)\b/, what: "a code of a place", kind: "place-code" },
  { pattern: /\b(?:county|city|town|municipality|state|province|region|district|neighbou?rhood|community|area|location|place|residence|country|nation\w*|birthplace|zone|ward|precinct|catchment|geograph\w*)\b/, what: "a place", kind: "place" },
  { pattern: /\b(?:hospital|facility|clinic|provider|school|agency|department|site|campus|employer|program)\b/, what: "a place that a person went to", kind: "place" },
  { pattern: /\b(?:year|yr)\b/, what: "a year", kind: "year" },
  { pattern: /\b(?:date|day|month|admi(?:t|ssion)\w*|discharged?|visit|service date|timestamp|time)\b/, what: "a time", kind: "date" },
  { pattern: /\b(?:sex|gender)\b/, what: "sex or gender", kind: "trait" },
  { pattern: /\b(?:race|ethnic\w*|hispanic|latin[oax]|ancestry|tribe|origin)\b/, what: "race or ethnicity", kind: "trait" },
  { pattern: /\b(?:citizen\w*|languages?|marital|married|civil status|relationship|household|hh|famil(?:y|ies)|children|kids|dependents?|living arrangement)\b/, what: "family and origin", kind: "trait" },
  { pattern: /\b(?:educat\w*|degree|schooling|grade(?: level)?|major|occupation|jobs?|profession|industry|employ\w*|work ?class|worker|veteran|military)\b/, what: "education and work", kind: "trait" },
  { pattern: /\b(?:height|weight|bmi|eye colou?r|hair|blood type|build)\b/, what: "a trait of the body", kind: "trait" },
  { pattern: /\b(?:housing|tenure|rent|vehicle|car|make|model|ownership|status|type|class|category|group)\b/, what: "a category", kind: "trait" },
];

export function matching<Pattern extends NamePattern>(words: string, patterns: readonly Pattern[]): Pattern | undefined {
  return patterns.find(({ pattern }) => pattern.test(words));
}
