/** Door "./node": files, spooling and threads on Node. */
export { addToLedger, apply, assess, auditPublished, explain, plan, release, verify } from "./index.ts";
export { openFileSource, type FileSettings } from "./node/file-source.ts";
export { loadPolicy } from "./node/load-policy.ts";
export { createSpill } from "./node/spill-file.ts";
export { proposePolicy } from "./policy/propose/index.ts";
