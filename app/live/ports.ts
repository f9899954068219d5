import type { Answer, CallName } from "../contract/calls.ts";
import type { Envelope } from "../contract/envelope.ts";
import type { Fact, Signal } from "../contract/facts.ts";
import type { Pending } from "./live-state.ts";

/** Everything the live part needs of a browser, handed in: a test drives the clock and the network itself. */
export type LivePorts = {
	timers: Timers;
	openWire: OpenWire;
	queue: QueueStore;
	locks: Locks;
	channel: Channel;
	drafts: TextStore;
	surroundings: Surroundings;
	/** Hears how it goes; a page without one works the same. */
	recorder?: Recorder;
	/** A new UUID. */
	uuid: () => string;
};

export type Timers = {
	/** ms since 1970 by this machine's clock. */
	now(): number;
	/** Runs once after `ms`; returns what cancels it. */
	after(ms: number, run: () => void): () => void;
	/** 0 <= x < 1. */
	random(): number;
};

/** A socket that is driven, not trusted: it never reconnects and never buffers by itself. */
export type Wire = {
	/** `handshake` goes with this attempt alone. */
	connect(handshake?: Handshake): void;
	disconnect(): void;
	/** Null when no answer came: timed out, or the connection went. */
	call(name: CallName, input: unknown, timeout: number, envelope?: Envelope): Promise<Answer<unknown> | null>;
};

/** What the server is told of an attempt to connect: whose trace it is, which in a row, and whether the page was connected before. */
export type Handshake = { tp: string; attempt: number; recovered: boolean };

export type WireEvents = {
	connected(transport: "websocket" | "polling"): void;
	/** Polling was upgraded. */
	upgraded(transport: "websocket" | "polling"): void;
	disconnected(reason: string): void;
	/** The connection could not be made. `reason` is a refusal code when the server said no. */
	/** `seconds`: how long whoever refused asks us to wait. */
	refused(reason: string, seconds?: number): void;
	fact(fact: Fact, envelope?: unknown): void;
	signal(signal: Signal): void;
};

export type OpenWire = (events: WireEvents) => Wire;

/** A pending message as it is kept. `order` is the place in this person's queue over all tabs. */
export type Kept = Pending & {
	order: number;
	/** The page it was written in: that page shows the outcome of a command. */
	tab: string;
	/** When the person said that a stale message should go after all; 0 when never asked. */
	agreedAt: number;
};

/** Where the queue survives a reload. */
export type QueueStore = {
	all(): Promise<Kept[]>;
	put(entry: Kept): Promise<void>;
	drop(clientIds: string[]): Promise<void>;
};

/** Mutual exclusion between the tabs of one browser. */
export type Locks = {
	/** False where the browser has none: then a tab leaves other tabs' messages alone. */
	shared: boolean;
	hold(name: string, work: () => Promise<void>): Promise<void>;
};

/** What tabs of one person tell each other about the queue. */
export type TabNews =
	| { kind: "put"; entry: Kept }
	| { kind: "stored"; clientId: string; seq: number }
	| { kind: "outcome"; clientId: string; tab: string; notice: string; goTo?: string }
	| { kind: "gone"; clientId: string }
	| { kind: "forget" };

export type Channel = {
	tell(news: TabNews): void;
	/** Returns what stops listening. */
	listen(listener: (news: TabNews) => void): () => void;
};

/** Drafts: kept synchronously, so that a crash loses at most the last fraction of a second. */
export type TextStore = {
	all(): Record<string, string>;
	put(roomId: string, text: string): void;
	/** Another tab changed one; null when all were cleared. Returns what stops listening. */
	listen(listener: (roomId: string | null, text: string) => void): () => void;
};

/** What the page notices about the machine it is on. */
export type Surroundings = {
	isOnline(): boolean;
	isVisible(): boolean;
	/** Returns what stops listening. */
	listen(events: { online(): void; offline(): void; visible(): void; hidden(): void; resumed(): void; leaving(): void }): () => void;
};

/** What the live part tells whoever measures how it feels. None of these may throw or change what happens. */
export type Recorder = {
	/** An attempt to connect begins; gives the traceparent it goes under. */
	connecting(): string;
	/** A call is about to go; what it returns travels beside it. */
	calling(name: CallName, input: unknown, about: { transport: string | null }): Envelope | undefined;
	/** Its answer, or null when none came within the time. */
	answered(name: CallName, input: unknown, answer: Answer<unknown> | null, took: number): void;
	/**
	 * A message was written at `at`, which is not yet when it is sent; told again when it goes, as another page may have written
	 * it. `isReady`: there was a connection to send it by.
	 */
	clicked(clientId: string, roomId: string, about: { at: number; isReady: boolean }): void;
	/** Given up (`given-up`) or refused for good: no answer will come. */
	failed(clientId: string, code: string): void;
	/** The server has it, whatever became of the answer. */
	stored(clientId: string): void;
	/** A fact came over the socket, before it is folded. `isOpen`: its room is the one on screen. */
	heard(fact: Fact, envelope: unknown, isOpen: boolean): void;
	/** The connection was lost while the machine was online, and came back. `backfilled`: facts that had been missed. */
	lost(): void;
	/** What was lost does not count: the machine went offline or slept meanwhile, or the person left. */
	calledOff(): void;
	back(about: { attempts: number; backfilled: number; transport: string }): void;
	/** This machine's clock plus this is the server's, ms. Told at each welcome, and when it is known better. */
	clock(offset: number): void;
	/** A room was asked for, and is on screen. */
	switching(roomId: string): void;
	switched(roomId: string, cached: boolean): void;
};
