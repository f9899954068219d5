import type { PublicSlo } from "../contract/ops.ts";
import type { Verdict } from "../contract/orders.ts";
import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import type { Member, Message, MessageJourney, MyRoom, OpenedRoom, Person, Quote } from "../contract/shapes.ts";

/** How the browser stands with the server. `waiting` counts down to `retryAt` (ms since 1970). */
export type ConnectionState = {
	state: "connecting" | "online" | "offline" | "waiting" | "signed-out";
	retryAt: number | null;
	transport: "websocket" | "polling" | null;
	/** Round trips of the last calls, ms, newest last; at most 30. */
	roundTrips: readonly number[];
	/** How often this page came back after it had lost its connection. */
	reconnects: number;
	/** When the connection was last lost, ms since 1970; null while it never was. */
	lostAt: number | null;
	/** Server clock minus ours, ms: times are shown by the server's clock. */
	clockOffset: number;
	/** The server has another build than this page. */
	newVersion: boolean;
	/** False while catch-up has not finished after a connection: what is on screen may be old. */
	synced: boolean;
	/** Why the server refused the connection itself (too many tabs, for one), while it does. */
	refusal?: RefusalCode | null;
};

/**
 * A message on its way. `stale` waited over a day and asks before it goes; `failed` says why; `stored` is safe on the
 * server as number `seq` and stays shown until the fact that replaces it arrives.
 */
export type Pending = {
	clientId: string;
	roomId: string;
	body: string;
	replyTo: Quote | null;
	createdAt: number;
	state: "queued" | "sending" | "stored" | "failed" | "stale";
	refusal: { code: RefusalCode; details: RefusalDetails } | null;
	/** When a rate limit or an outage lets it try again, ms since 1970. */
	retryAt: number | null;
	/** Place in the room's log once the server has it. */
	seq?: number | null;
};

/** One room as this browser follows it. Plain data: `timeline.ts` folds facts into it without side effects. */
export type RoomState = {
	room: MyRoom;
	members: Record<string, Member>;
	/** Oldest first, ordered by seq, at most `limits.mounted`. */
	messages: Message[];
	hasBefore: boolean;
	hasAfter: boolean;
	/** Newest seq folded in. */
	cursor: number;
	/** Oldest seq in sight of a reader who is not at the end: never dropped to make room for new messages. */
	anchor?: number | null;
};

/** A room in the list that is not open: pointers only. */
export type LiveState = {
	me: Person;
	connection: ConnectionState;
	rooms: Record<string, MyRoom>;
	/** Newest seq this browser knows of each room. */
	cursors: Record<string, number>;
	open: RoomState | null;
	/** Ids of who is here, of the open room. */
	here: Record<string, true>;
	/** Who is typing in which room, with the time it stops being shown. */
	typing: Record<string, { person: Person; until: number }[]>;
	pending: Pending[];
	/** What is being written, by the names of components/draft-names.ts: a room's own text by its id. */
	drafts: Record<string, string>;
	/** Which end of the open room is being loaded. */
	loading: "before" | "after" | "jump" | null;
	/** Which end of it was asked for in vain; asked for again as soon as there is a connection. */
	notLoaded: "before" | "after" | null;
	/** Live messages of the open room since the page opened it, for the screen reader: newest last, at most 20. */
	announced: Message[];
};

/** What an answer brought, or the refusal to show. */
export type Asked<T> = { ok: true; data: T } | { ok: false; code: RefusalCode; details: RefusalDetails };

/** What the page may do. One instance per browser tab; components get it by context. */
export type Live = {
	/** Build of this page. */
	readonly build: string;
	getState(): LiveState;
	/** The state as subscribers were last told of it: the same for every part of a page that is being drawn. */
	getToldState(): LiveState;
	subscribe(listener: () => void): () => void;
	/** The state as it was made: what the server renders and the browser hydrates from. */
	getServerState(): LiveState;
	/** Opens the socket and takes up the queue kept from before. Returns the function that closes it. */
	start(): () => void;
	/** A room was asked for: the page is on its way there. */
	switching(roomId: string): void;
	/** Shows a room a loader fetched. Folding goes on from its `lastSeq`. */
	openRoom(opened: OpenedRoom): void;
	closeRoom(): void;
	/** The room list as a loader fetched it. */
	setRooms(rooms: MyRoom[]): void;
	send(roomId: string, body: string, replyTo: Quote | null): void;
	retry(clientId: string): void;
	discard(clientId: string): void;
	/** How far a message of mine got; asked of the server, whose answer is exact. */
	journey(roomId: string, seq: number): Promise<Asked<MessageJourney>>;
	/** How well the server keeps its promises; null where nothing is measured. */
	slos(): Promise<Asked<PublicSlo[] | null>>;
	/** Measures the way to the server and back; gives who answered, null when nobody did. */
	ping(): Promise<{ instance: string } | null>;
	/** Resolve with null when done, else the refusal to show. */
	edit(seq: number, body: string): Promise<{ code: RefusalCode; details: RefusalDetails } | null>;
	remove(seq: number): Promise<{ code: RefusalCode; details: RefusalDetails } | null>;
	/** Decides about an order of the open room; null when done, else the refusal to show. */
	decide(cartId: string, verdict: Verdict): Promise<{ code: RefusalCode; details: RefusalDetails } | null>;
	loadBefore(): Promise<void>;
	loadAfter(): Promise<void>;
	/** Resolve with false when no answer came, so that nothing is known about what is there. */
	jumpTo(seq: number): Promise<boolean>;
	jumpToLatest(): Promise<boolean>;
	/** The newest message that was on a visible screen for `limits.readAfter`. Debounced; only moves forward. */
	displayed(seq: number): void;
	/** The oldest message in sight while the reader is not at the end, else null: new messages never push it out. */
	reading(seq: number | null): void;
	typing(roomId: string): void;
	/** Keeps what is being written, by a name of components/draft-names.ts; empty drops it. */
	setDraft(name: string, text: string): void;
	retryNow(): void;
	/** Asks to come back as the same person after the session ended. Whether it worked shows after `retryNow`. Never throws. */
	comeBack(): Promise<void>;
	/** Called when posting answered with a command's outcome (`notice`, `goTo`). */
	onNotice(listener: (notice: { notice: string; goTo?: string }) => void): () => void;
	/** Called when this browser was too far behind to follow by facts: the page should load its data anew. */
	onReload(listener: () => void): () => void;
};
