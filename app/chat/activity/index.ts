export { archiveInProcess, countInProcess, openConsumers, type StreamCore, toStream } from "./consumers.ts";
export { openOverview } from "./overview.ts";
export { openReadText } from "./read-text.ts";
export { type Consumer, openRelay } from "./relay.ts";
export { postgresActivity } from "./store.ts";
