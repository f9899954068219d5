import type { ConnectionState } from "../live/live-state.ts";
import { latencyOf } from "./quality.ts";

/** What a report tells; nothing else may get into it. */
export type Reported = {
	connection: ConnectionState;
	/** Messages that wait to be sent. */
	waiting: number;
	build: string;
	/** The process that answered last. */
	instance: string | null;
	/** ms since 1970. */
	at: number;
	userAgent: string;
	language: string;
};

/**
 * How the connection is doing, for pasting into a message to whoever runs the server: in English, for them. Has no name, no
 * room, no text, no address and nothing one could sign in with.
 */
export function connectionReport({ connection, waiting, build, instance, at, userAgent, language }: Reported): string {
	const { state, transport, roundTrips, clockOffset, reconnects, lostAt, synced, refusal } = connection;
	const iso = (ms: number | null) => (ms === null ? "never" : new Date(ms).toISOString());
	return [
		["Charla connection report", iso(at)],
		["state", `${state}${synced ? "" : ", not caught up"}${refusal ? `, refused: ${refusal}` : ""}`],
		["transport", transport ?? "none"],
		["round trip", `${latencyOf(roundTrips) ?? "?"} ms; last ${roundTrips.map(Math.round).join(" ") || "none"}`],
		["clock offset", `${clockOffset} ms`],
		["reconnects", `${reconnects}, lost last ${iso(lostAt)}`],
		["waiting to be sent", String(waiting)],
		["version", build],
		["instance", instance ?? "unknown"],
		["language", language],
		["browser", userAgent],
	]
		.map(([name, value]) => `${name}: ${value}`)
		.join("\n");
}
