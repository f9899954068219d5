import type { Context } from "@opentelemetry/api";
import type { RoomKind } from "../../app/contract/shapes.ts";
import { errorFields } from "../log-line.ts";
import type { Log, Recorded } from "./spans.ts";

/** What the parts of the recorder know together. */
export type Shared = {
	log: Log;
	isUnavailable: (error: unknown) => boolean;
	/** Whether a trace will be exported whatever becomes of it: the sampler's own decision, known before any span is made. */
	isSampled: (traceId: string) => boolean;
	/** Instances that work on this database, this one included. */
	instances: () => number;
	/** Hears of messages that went well and whose spans were not made. */
	onQuiet: (message: QuietMessage) => void;
	/** Messages being sent, by clientId: a statement that stores many at once and the announcement find theirs here. */
	sending: Map<string, Recorded>;
	kindOf(roomId: string | undefined): RoomKind | "unknown";
	learnKind(roomId: string, kind: RoomKind): void;
	/** Tells of something that is done: what goes wrong in telling is logged, and never undoes it. */
	aside(tell: () => void): void;
	/** Where an error happened: it is logged later, outside of that context. */
	remember(error: unknown, context: Context): void;
	contextOf(error: unknown): Context | undefined;
};

/** A message nobody made spans for: its stamps, from which they can be drawn all the same. */
export type QuietMessage = Omit<Recorded, "span" | "context"> & {
	messageId: string;
	roomId: string;
	userId: string;
	transport: string;
	connId: string;
	roomKind: RoomKind | "unknown";
	bytes: number;
	seq: number;
	endedAt: number;
};

/** Rooms whose kind is kept in memory: far more than one instance serves at a time, and a forgotten one is only "unknown". */
const kindsKept = 20_000;

export function openShared(given: Pick<Shared, "log" | "isUnavailable" | "isSampled" | "instances" | "onQuiet">): Shared {
	const roomKinds = new Map<string, RoomKind>();
	const contexts = new WeakMap<object, Context>();
	const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
	return {
		...given,
		sending: new Map(),
		kindOf: (roomId) => (roomId ? roomKinds.get(roomId) : undefined) ?? "unknown",
		learnKind(roomId, kind) {
			if (roomKinds.has(roomId)) return;
			if (roomKinds.size >= kindsKept) roomKinds.delete(roomKinds.keys().next().value as string);
			roomKinds.set(roomId, kind);
		},
		aside(tell) {
			try {
				tell();
			} catch (error) {
				try {
					given.log.error("exception", { call: "telemetry", ...errorFields(error), handled: true });
				} catch {
					// Then it is the log that fails, which tells so itself.
				}
			}
		},
		remember(error, context) {
			if (isObject(error) && !contexts.has(error)) contexts.set(error, context);
		},
		contextOf: (error) => (isObject(error) ? contexts.get(error) : undefined),
	};
}
