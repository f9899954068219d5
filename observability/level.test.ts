import assert from "node:assert/strict";
import { test } from "node:test";
import winston from "winston";
import { events } from "./contract.ts";
import { openLevel } from "./level.ts";

const quarter = 15 * 60_000;

function open(level = "info") {
	const lines: { event: string; fields: Record<string, unknown>; at: string }[] = [];
	const logger = {
		level,
		warn(event: string, fields: Record<string, unknown> = {}) {
			lines.push({ event, fields, at: logger.level });
		},
	};
	const state = { now: Date.UTC(2026, 10, 24, 9, 0, 0), timers: [] as { at: number; run: () => void }[] };
	const change = openLevel({
		logger,
		clock: () => state.now,
		after(ms, run) {
			const timer = { at: state.now + ms, run };
			state.timers.push(timer);
			return () => {
				state.timers = state.timers.filter((known) => known !== timer);
			};
		},
	});
	return {
		...change,
		logger,
		lines,
		state,
		pass(ms: number) {
			state.now += ms;
			for (const timer of state.timers.filter((known) => known.at <= state.now)) {
				state.timers = state.timers.filter((known) => known !== timer);
				timer.run();
			}
		},
	};
}

test("everything is written for 15 minutes, then it is as before; both are told, and by whom", () => {
	const here = open();
	assert.equal(here.until(), null);
	here.raise("ana");
	assert.equal(here.level(), "debug");
	assert.equal(here.until(), here.state.now + quarter);
	here.pass(quarter - 1);
	assert.equal(here.level(), "debug");
	here.pass(1);
	assert.equal(here.level(), "info");
	assert.equal(here.until(), null);
	assert.deepEqual(
		here.lines.map(({ event, fields }) => [event, fields]),
		[
			["log.level_changed", { level_from: "info", level_to: "debug", until: "2026-11-24T09:15:00.000Z", user_id: "ana" }],
			["log.level_changed", { level_from: "debug", level_to: "info" }],
		],
	);
	for (const { fields } of here.lines)
		for (const field of Object.keys(fields)) assert.ok((events["log.level_changed"].fields as readonly string[]).includes(field), field);
	assert.equal(events["log.level_changed"].audit, true);
});

test("again starts the time anew, by whomever, and still ends where it began", () => {
	const here = open();
	here.raise("ana");
	here.pass(quarter - 1000);
	here.raise("ben");
	here.pass(2000);
	assert.equal(here.level(), "debug", "Ana's time is over, Ben's is not");
	assert.equal(here.state.timers.length, 1);
	here.pass(quarter);
	assert.equal(here.level(), "info");
	assert.equal(here.lines.length, 3);
});

test("lowered at once by anybody, and then no timer lowers what somebody raised later", () => {
	const here = open();
	here.raise("ana");
	here.lower("ben");
	assert.equal(here.level(), "info");
	assert.equal(here.lines.at(-1)?.fields.user_id, "ben");
	here.lower("ben");
	assert.equal(here.lines.length, 2, "nothing was to be lowered");
	here.pass(quarter - 1000);
	here.raise("cleo");
	here.pass(1000);
	assert.equal(here.level(), "debug", "Ana's timer went with it");
});

test("the line that it is lowered is written though the configured level would leave it out", () => {
	const here = open("error");
	here.raise("ana");
	here.lower("ana");
	assert.deepEqual(
		here.lines.map((line) => line.at),
		["debug", "debug"],
	);
	assert.equal(here.level(), "error");
});

test("the end of the process puts it back and leaves no timer", () => {
	const here = open();
	here.raise("ana");
	here.stop();
	assert.deepEqual([here.level(), here.state.timers.length, here.until()], ["info", 0, null]);
	here.stop();
});

test("with a real logger and real timers debug lines come and the process may end", () => {
	const heard: string[] = [];
	const logger = winston.createLogger({
		level: "info",
		transports: [
			new winston.transports.Console({
				log: (info, next) => {
					heard.push(`${info.level} ${info.message}`);
					next();
				},
			}),
		],
	});
	const change = openLevel({ logger });
	logger.debug("before");
	change.raise("ana");
	logger.debug("during");
	change.lower("ana");
	logger.debug("after");
	assert.deepEqual(heard, ["warn log.level_changed", "debug during", "warn log.level_changed"]);
	assert.ok(!process.getActiveResourcesInfo().includes("Timeout"), "no timer holds the process");
});
