export { change } from "./change.ts";
export { bring, create, show } from "./create.ts";
export { direct } from "./direct.ts";
export { invite, join } from "./join.ts";
export { insertRoom, selectHeads, selectMyRoom, selectMyRooms, selectPublicRooms } from "./rows.ts";
