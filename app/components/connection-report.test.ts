import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionState } from "../live/live-state.ts";
import { connectionReport } from "./connection-report.ts";
import { latencyOf, medianOf, qualityOf } from "./quality.ts";

const connection: ConnectionState = {
	state: "waiting",
	retryAt: 5,
	transport: null,
	roundTrips: [10, 900, 30],
	reconnects: 2,
	lostAt: Date.UTC(2026, 0, 2, 3, 4, 5),
	clockOffset: -40,
	newVersion: false,
	synced: false,
	refusal: "too-many-sockets" as never,
};

test("a report says how the connection is doing, line by line, and nothing of who and where", () => {
	const report = connectionReport({
		connection,
		waiting: 3,
		build: "b1",
		instance: null,
		at: Date.UTC(2026, 0, 2),
		userAgent: "Browser/1",
		language: "es",
	});
	assert.deepEqual(report.split("\n"), [
		"Charla connection report: 2026-01-02T00:00:00.000Z",
		"state: waiting, not caught up, refused: too-many-sockets",
		"transport: none",
		"round trip: 30 ms; last 10 900 30",
		"clock offset: -40 ms",
		"reconnects: 2, lost last 2026-01-02T03:04:05.000Z",
		"waiting to be sent: 3",
		"version: b1",
		"instance: unknown",
		"language: es",
		"browser: Browser/1",
	]);
});

test("one slow answer among quick ones does not make a connection slow", () => {
	assert.equal(medianOf([]), null);
	assert.equal(latencyOf([9000, 9000, 20, 21, 22, 8000, 23]), 22);
	const at = (state: ConnectionState["state"], ...roundTrips: number[]) => qualityOf({ state, roundTrips });
	assert.deepEqual(
		[at("online", 20, 2000, 30), at("online", 300), at("online", 900), at("online"), at("waiting", 20)],
		["good", "fair", "slow", "none", "none"],
	);
});
