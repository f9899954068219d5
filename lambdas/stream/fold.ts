import type { Activity, HintReason, OpenQuestion, RoomDay } from "../../app/contract/activity.ts";

/** So many messages of one person within so many ms are a flood. Twice what a person may burst (app/contract/limits.ts would stop more). */
const flood = { messages: 10, within: 15_000 };
/** The same person is said to flood once in this time, ms. */
const floodAgain = 60_000;
/** What somebody else says within this time, ms, answers a question that was the last thing asked; later only a reply does. */
const answerWithin = 10 * 60_000;
/** Nobody looks further back; and a document stays far below the 400 KB an item of DynamoDB may have. */
const kept = { questions: 50, hints: 200, people: 1000, recent: 200, gaps: 50 };

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** A room's day with nothing in it yet; what is open goes along from the day before. */
export function newDay(roomId: string, day: string, before: RoomDay | undefined): RoomDay {
	return {
		roomId,
		day,
		seq: before?.seq ?? 0,
		...(before?.gaps ? { gaps: before.gaps } : {}),
		hours: {},
		people: {},
		reach: { here: 0, delivered: 0 },
		hints: [],
		questions: before?.questions ?? [],
		answered: 0,
		recent: before?.recent ?? [],
		flooded: before?.flooded ?? [],
	};
}

/**
 * Takes one event into a room's day: pure, and the same event twice changes nothing. All consumers that count are here:
 * activity, delivery, moderation hints and unanswered questions. The document given is not changed.
 */
export function fold(doc: RoomDay, event: Activity): RoomDay {
	if (event.seq <= doc.seq) return late(doc, event);
	const next: RoomDay = { ...doc, seq: event.seq, hours: tallied(doc.hours, event) };
	// A room's log has no holes: what is between was given up, and may come later.
	if (event.seq > doc.seq + 1) next.gaps = [...(doc.gaps ?? []), [doc.seq + 1, event.seq - 1] as [number, number]].slice(-kept.gaps);
	if (event.kind === "delete") next.questions = doc.questions.filter((question) => question.seq !== event.target);
	if (event.kind !== "message") return next;

	count(doc, next, event);
	moderate(doc, next, event);
	radar(doc, next, event);
	return next;
}

/**
 * What comes when later events are counted already: nothing, unless it is missing. Then it is counted, in the newest day; who flooded and
 * what answered a question cannot be told any more.
 */
function late(doc: RoomDay, event: Activity): RoomDay {
	const { seq } = event;
	const gap = doc.gaps?.find(([from, to]) => from <= seq && seq <= to);
	if (!gap) return doc;
	const { gaps = [], ...without } = doc;
	const left = gaps.flatMap((each) => (each === gap ? parts(gap, seq) : [each]));
	const next: RoomDay = { ...without, ...(left.length > 0 ? { gaps: left } : {}), hours: tallied(doc.hours, event) };
	if (event.kind === "delete") next.questions = doc.questions.filter((question) => question.seq !== event.target);
	if (event.kind === "message") count(doc, next, event);
	return next;
}

const parts = ([from, to]: [number, number], seq: number): [number, number][] =>
	[[from, seq - 1] as [number, number], [seq + 1, to] as [number, number]].filter(([begin, end]) => begin <= end);

function count(doc: RoomDay, next: RoomDay, event: Activity): void {
	if (!event.flags.includes("bot") && (event.authorId in doc.people || Object.keys(doc.people).length < kept.people))
		next.people = { ...doc.people, [event.authorId]: (doc.people[event.authorId] ?? 0) + 1 };
	if (event.reach) next.reach = { here: doc.reach.here + event.reach.here, delivered: doc.reach.delivered + event.reach.delivered };
}

function tallied(hours: RoomDay["hours"], event: Activity): RoomDay["hours"] {
	const hour = new Date(event.at).getUTCHours();
	const [count, bytes] = hours[hour]?.[event.kind] ?? [0, 0];
	return { ...hours, [hour]: { ...hours[hour], [event.kind]: [count + 1, bytes + event.bytes] } };
}

/** Flags; deletes and hides nothing. */
function moderate(doc: RoomDay, next: RoomDay, event: Activity): void {
	if (event.flags.includes("bot")) return;
	const reasons = event.flags.filter((flag): flag is HintReason & typeof flag => flag === "links" || flag === "words") as HintReason[];
	next.recent = [...doc.recent.filter(([, at]) => at > event.at - flood.within), [event.authorId, event.at] as [string, number]].slice(
		-kept.recent,
	);
	next.flooded = doc.flooded.filter(([, at]) => at > event.at - floodAgain);
	const lately = next.recent.filter(([author]) => author === event.authorId).length;
	if (lately >= flood.messages && !next.flooded.some(([author]) => author === event.authorId)) {
		reasons.push("flood");
		next.flooded = [...next.flooded, [event.authorId, event.at]];
	}
	if (reasons.length > 0) {
		const { seq, authorId, at } = event;
		next.hints = [...doc.hints, ...reasons.map((reason) => ({ seq, reason, authorId, at }))].slice(-kept.hints);
	}
}

/** A question is open until somebody else replies to it, or says anything soon after it. */
function radar(doc: RoomDay, next: RoomDay, event: Activity): void {
	const last = doc.questions.at(-1);
	const isAnswered = (question: OpenQuestion) =>
		question.authorId !== event.authorId &&
		!event.flags.includes("bot") &&
		(event.target === question.seq || (event.target === null && question === last && event.at - question.at <= answerWithin));
	next.questions = doc.questions.filter((question) => !isAnswered(question));
	next.answered = doc.answered + doc.questions.length - next.questions.length;
	if (event.flags.includes("question") && !event.flags.includes("bot"))
		next.questions = [...next.questions, { seq: event.seq, authorId: event.authorId, at: event.at }].slice(-kept.questions);
}
