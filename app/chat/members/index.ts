export { admit } from "./join.ts";
export { leave } from "./leave.ts";
export { type Move, openPointers, type Pointers } from "./move-pointers.ts";
export { selectJoinedWithin, selectMembers, unreadDeleted } from "./rows.ts";
export { botStanding, type Claim, claim, openStanding, roleOf, roomKinds, type Standing } from "./standing.ts";
