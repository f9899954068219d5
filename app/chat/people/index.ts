export { enter } from "./enter.ts";
export { byId, byName, find, maybeByName } from "./find.ts";
export { type Names, rememberNames } from "./names.ts";
export { insertPerson, type PersonRow, toPerson } from "./rows.ts";
export { cleanName, isReserved, skeletonOf } from "./skeleton.ts";
