export { type About, type Context, type FunctionName, lambda, type Process, type SpanTools, type Tools, type Trigger } from "./lambda.ts";
export type { Log } from "./log.ts";
export { type Attributes, type Outcome, readTraceparent, type SpanRef } from "./trace.ts";
