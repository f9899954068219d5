import type { Quote } from "../contract/shapes.ts";

/**
 * Under which names the unsent is kept among the drafts. What a room's composer holds goes by the room's own id; what belongs
 * to it goes by that id and more, so that it is kept, told to other tabs and forgotten with it.
 */

/** The changed text of a message that was not saved yet. */
export function editDraft(roomId: string, seq: number): string {
	return `${roomId} edit ${seq}`;
}

/** Which messages of a room have a change that was not saved. */
export function editsKept(drafts: Readonly<Record<string, string>>, roomId: string): number[] {
	const prefix = editDraft(roomId, 0).slice(0, -1);
	return Object.keys(drafts).flatMap((name) => (name.startsWith(prefix) ? [Number(name.slice(prefix.length))] : []));
}

/** The message which the composer's text will answer, as `writeQuote` wrote it. */
export function replyDraft(roomId: string): string {
	return `${roomId} reply`;
}

export function writeQuote(quote: Quote | null): string {
	return quote ? JSON.stringify(quote) : "";
}

/** Null for nothing, and for what an older or newer page wrote in another way. */
export function readQuote(kept: string): Quote | null {
	try {
		const quote = JSON.parse(kept) as Quote;
		return quote.seq > 0 && quote.author.name ? quote : null;
	} catch {
		return null;
	}
}
