import type { Activity, ActivityStore, RoomDay } from "../../app/contract/activity.ts";
import { dayOf, fold, newDay } from "./fold.ts";

/** Somebody else took in events of the same room meanwhile: to be tried again, when theirs are found counted. */
export class Outrun extends Error {
	constructor(roomId: string) {
		super(`the activity of ${roomId} was written by somebody else meanwhile`);
		this.name = "Outrun";
	}
}

/**
 * Takes events of one room, in order, into the store. What was taken in before changes nothing. Throws Outrun when another
 * writer was faster, and whatever the store throws; then some days may be written, and doing it again finishes the rest.
 */
export async function takeIn(store: ActivityStore, events: readonly Activity[], newest?: RoomDay): Promise<void> {
	const [first] = events;
	if (!first) return;
	const found = newest ?? (await store.newest([first.roomId])).get(first.roomId);
	let from = found ? found.seq : null;
	let doc = found ?? newDay(first.roomId, dayOf(first.at), undefined);
	let saved = doc;
	const save = async () => {
		if (doc === saved) return;
		if (!(await store.keep(doc, from))) throw new Outrun(doc.roomId);
	};
	for (const event of events) {
		const day = dayOf(event.at);
		// A clock that was set back does not open yesterday again, and what was counted already opens no day.
		if (day > doc.day && event.seq > doc.seq) {
			await save();
			doc = newDay(doc.roomId, day, doc);
			saved = doc;
			from = null;
		}
		doc = fold(doc, event);
	}
	await save();
}
