import { useEffect, useRef, useState } from "react";
import type { Message, MyRoom } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";
import { useLiveState } from "../live/use-live.tsx";

/** The unread divider stands before the first message of others in this stretch of the room's log, ends included in `upTo` only. */
export type UnreadMark = { after: number; upTo: number } | null;

/**
 * Where the unread divider stands: after what I had read when the room was opened. It stays there while I read, and moves
 * on only when messages come while I am not looking at the page, or were missed for want of a connection; what arrives
 * before my eyes was never unread.
 */
export function useUnreadMark(room: MyRoom, messages: readonly Message[], me: string): UnreadMark {
	const [mark, setMark] = useState<UnreadMark>(() => (unreadOf(room) > 0 ? { after: room.readSeq, upTo: room.lastSeq } : null));
	const newest = messages.at(-1)?.seq ?? 0;
	const synced = useLiveState((state) => state.connection.synced);
	const before = useRef({ newest, readSeq: room.readSeq, synced });
	useEffect(() => {
		const known = before.current;
		before.current = { newest, readSeq: room.readSeq, synced };
		if (newest <= known.newest) return;
		// Catching up ends in the same turn as its last facts are shown: how it stood before them counts too.
		const isAway = document.visibilityState !== "visible" || !document.hasFocus() || !synced || !known.synced;
		const fresh = messages.find((message) => message.seq > known.newest);
		// All was read until now, so what begins here is what was missed.
		if (isAway && fresh && fresh.author.id !== me && known.readSeq >= known.newest) setMark({ after: known.newest, upTo: fresh.seq });
	}, [newest, messages, room.readSeq, synced, me]);
	return mark;
}
