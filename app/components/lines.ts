import { limits } from "../contract/limits.ts";
import type { Cart } from "../contract/orders.ts";
import type { Message, Person, Quote } from "../contract/shapes.ts";
import type { Pending } from "../live/live-state.ts";
import type { UnreadMark } from "./use-unread-mark.ts";

/** One line of the conversation: a message of the room, or one of mine that is on its way. */
export type Line = {
	/** Stays the same when the message on its way becomes the stored one, so that its place on screen does too. */
	key: string;
	/** Place in the room's log; null until the server has said. */
	seq: number | null;
	author: Person;
	body: string;
	html: string | null;
	at: number;
	editedAt: number | null;
	isDeleted: boolean;
	replyTo: Quote | null;
	/** An order, shown in place of the text. */
	card: Cart | null;
	pending: Pending | null;
	/** First of a run by one person: shows who and when. */
	isFirst: boolean;
	/** The first unread one when the room was opened that can still be read. */
	startsUnread: boolean;
};

export type Day = { key: string; at: number; lines: Line[] };

export type LinesAsked = {
	messages: readonly Message[];
	pending: readonly Pending[];
	me: Person;
	/** Where the unread divider stands; null for no divider. */
	unread: UnreadMark;
	/** Server clock minus ours, ms. */
	clockOffset: number;
	dayKey(ms: number): string;
};

const made = new WeakMap<Message | Pending, Line>();

/** The conversation by days, each line knowing whether it begins a group. */
export function daysOf(asked: LinesAsked): Day[] {
	const { messages, pending, me, unread, clockOffset, dayKey } = asked;
	const days: Day[] = [];
	let before: Line | null = null;
	let isMarking = unread !== null;
	const add = (source: Message | Pending, line: Line) => {
		if (isMarking && unread && line.seq !== null && line.seq > unread.after && line.author.id !== me.id && !line.isDeleted) {
			line.startsUnread = line.seq <= unread.upTo;
			isMarking = false;
		}
		const key = dayKey(line.at);
		let day = days.at(-1);
		// A clock that went backwards does not open yesterday again.
		if (!day || key > day.key) {
			day = { key, at: line.at, lines: [] };
			days.push(day);
			line.isFirst = true;
		}
		line.isFirst ||= line.startsUnread || !before || before.author.id !== line.author.id || line.at - before.at > limits.group;
		// The same object as last time while nothing about it changed, so that its row need not render again.
		const known = made.get(source);
		const same = known && known.isFirst === line.isFirst && known.startsUnread === line.startsUnread && known.at === line.at ? known : line;
		made.set(source, same);
		day.lines.push(same);
		before = same;
	};
	const known = new Set<string>();
	for (const message of messages) {
		const key = `${message.author.id} ${message.clientId}`;
		known.add(key);
		add(message, lineOf(message, key));
	}
	for (const waiting of pending) {
		const key = `${me.id} ${waiting.clientId}`;
		// Its message came with a stretch of history: one line is enough.
		if (!known.has(key)) add(waiting, pendingLine(waiting, key, me, clockOffset));
	}
	return days;
}

function lineOf(message: Message, key: string): Line {
	return {
		key,
		seq: message.seq,
		author: message.author,
		body: message.body,
		html: message.html,
		at: message.createdAt,
		editedAt: message.editedAt,
		isDeleted: message.deletedAt !== null,
		replyTo: message.replyTo,
		card: message.card ?? null,
		pending: null,
		isFirst: false,
		startsUnread: false,
	};
}

function pendingLine(pending: Pending, key: string, me: Person, clockOffset: number): Line {
	return {
		key,
		seq: null,
		author: me,
		body: pending.body,
		html: null,
		at: pending.createdAt + clockOffset,
		editedAt: null,
		isDeleted: false,
		replyTo: pending.replyTo,
		card: null,
		pending,
		isFirst: false,
		startsUnread: false,
	};
}
