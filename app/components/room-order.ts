import type { MyRoom, RoomKind } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";

export const kinds = ["public", "private", "direct"] as const satisfies readonly RoomKind[];

/** My rooms as the list shows them: by kind, then by name; direct conversations with something unread come first. */
export function inOrder(rooms: Record<string, MyRoom>, language: string): Record<RoomKind, MyRoom[]> {
	const collator = new Intl.Collator(language, { sensitivity: "base", numeric: true });
	const byName = (a: MyRoom, b: MyRoom) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
	const all = Object.values(rooms);
	const of = (kind: RoomKind) => all.filter((room) => room.kind === kind).sort(byName);
	return {
		public: of("public"),
		private: of("private"),
		direct: of("direct").sort((a, b) => Number(unreadOf(b) > 0) - Number(unreadOf(a) > 0)),
	};
}

/** Text for finding: without accents, in lower case ("jose" finds "José"). */
export function folded(text: string): string {
	return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
