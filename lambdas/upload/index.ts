/** The import desk's core: what server.ts runs in process, and handler.ts in AWS. */
export { BadFile } from "./bad-file.ts";
export { type Batch, faultOf, fileLimits, readImport, type Whole } from "./read-import.ts";
