/** The activity stream's core: what server.ts runs in process, and handler.ts in AWS. */
export { archiveFiles } from "./archive.ts";
export { BadRecord, readEvent, readRecord, writeRecord } from "./event.ts";
export { dayOf, fold, newDay } from "./fold.ts";
export { Outrun, takeIn } from "./take-in.ts";
