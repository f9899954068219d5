import type { MyRoom } from "./shapes.ts";

/** How far a room was read, as a call, a signal, a catch-up or another copy of the room says. */
export type Read = Pick<MyRoom, "readSeq" | "readMsg" | "unreadDeleted">;

/** How many of a room's messages its reader has not read and still could. */
export function unreadOf(room: MyRoom): number {
	return Math.max(0, room.lastMsg - room.readMsg - (room.unreadDeleted?.length ?? 0));
}

/** The room read as far as it is known to be, here or there. What is deleted stays deleted, so both lists hold. */
export function withRead(room: MyRoom, read: Read): MyRoom {
	const readSeq = Math.max(room.readSeq, read.readSeq);
	const readMsg = Math.max(room.readMsg, read.readMsg);
	if (readSeq === room.readSeq && readMsg === room.readMsg && !read.unreadDeleted) return room;
	return withDeleted({ ...room, readSeq, readMsg }, read.unreadDeleted ?? []);
}

/** The room with these messages known as deleted: what its reader is past no longer matters. */
export function withDeleted({ unreadDeleted = [], ...room }: MyRoom, seqs: readonly number[]): MyRoom {
	const unread = [...new Set([...unreadDeleted, ...seqs])].filter((seq) => seq > room.readSeq).sort((a, b) => a - b);
	return unread.length > 0 ? { ...room, unreadDeleted: unread } : room;
}
