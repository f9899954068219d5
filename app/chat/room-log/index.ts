export { type Appended, append, type Change, findChange, lockRoom, logKind, repeated } from "./append.ts";
export { type Entry, openLane, type Stored } from "./lane.ts";
