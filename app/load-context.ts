import type { Auth, Session } from "./auth/index.server.ts";
import type { Chat } from "./chat/index.server.ts";
import type { Rate } from "./contract/limits.ts";
import type { Ops } from "./contract/ops.ts";

/** A script of somebody else's for the page, and what the page's policy has to allow for it. */
export type PageAgent = { script: string; reportsTo: string[]; loadsFrom: string[] };

/**
 * What server.ts hands every loader and action. Instances travel only this way: a module imported by server.ts and by a
 * route exists twice, in development and in production.
 */
export type LoadContext = {
	/** Who is asking, looked up once and only when asked for: a database that is away must not cost the text of a form. */
	session: () => Promise<Session | null>;
	chat: Chat;
	auth: Auth;
	/** Closes the sockets of a session that was just left. */
	endSession: (session: Session) => void;
	throttle: (rate: Rate, key: string) => void;
	/** The asker's address, for rate limits. */
	address: string;
	isUnavailable: (error: unknown) => boolean;
	/** Logs an unexpected error once and returns the reference to show. */
	report: (error: unknown, about: Record<string, string>) => string;
	/** The reference of a failure that was expected, such as the database being away; empty where nothing is recorded. */
	refer: (error: unknown) => string;
	buildId: string;
	requestId: string;
	nonce: string;
	/** New Relic's agent for browsers, where this page is to carry it. */
	pageAgent?: PageAgent | null;
	/** What operators see; null when telemetry is off. */
	ops: Ops | null;
	/** Whether and how pages measure themselves, and the trace this one came with, when it is sampled. */
	telemetry?: { on: boolean; sampleRatio: number; traceparent: string | null };
};

declare module "@remix-run/node" {
	interface AppLoadContext extends LoadContext {}
	/** Loaders and actions are typed by what arrives, not by what JSON would make of it. */
	interface Future {
		v3_singleFetch: true;
	}
}
