import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { logs } from "@opentelemetry/api";
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import Transport from "winston-transport";
import { alarms } from "./alarms.ts";
import { KeptLogs } from "./kept-logs.ts";
import { openLog } from "./log.ts";

type Line = Record<string, unknown>;

/** A logger whose lines are kept as they would be shipped, nothing being written to the terminal that is not asked for. */
function logger(level = "debug") {
	const lines: string[] = [];
	const kept = new KeptLogs();
	const shipping = new Transport({
		log(info: { json: string }, done: () => void) {
			lines.push(info.json);
			done();
		},
	});
	const log = openLog({ level, build: "b1", terminal: true, env: "test", instance: "here/1", kept, shipping });
	return { log, kept, lines, last: () => JSON.parse(lines.at(-1) as string) as Line };
}

test("a line has what every line has, the event's own sentence, and the fields it was given", () => {
	const { log, last } = logger();
	log.info("message.sent", { message_id: "m", seq: 3, dedup: false });
	const { ts, pid, ...line } = last();
	assert.match(String(ts), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.equal(pid, process.pid);
	assert.deepEqual(line, {
		level: "info",
		event: "message.sent",
		msg: "message sent",
		service: "chat-web",
		env: "test",
		version: "b1",
		instance: "here/1",
		message_id: "m",
		seq: 3,
		dedup: false,
	});
});

test("what is not in the contract is left out, counted, and told once: names, types, things that throw when looked at", () => {
	const { log, lines } = logger();
	const nasty = Object.defineProperty({ seq: 1 }, "message_id", {
		enumerable: true,
		get() {
			throw new Error("never");
		},
	});
	log.info("message.sent", { body: "a secret", seq: "three", user_id: 7, password: "x" });
	log.info("message.sent", nasty);
	log.info("message.sent", { body: "again" });
	const all = lines.map((line) => JSON.parse(line) as Line);
	assert.ok(!lines.join().includes("a secret"));
	assert.equal(log.rejected(), 6);
	assert.deepEqual(
		all.filter((line) => line.event === "log.field_rejected").map((line) => line.name),
		["body", "seq", "user_id", "password", "message_id"],
	);
	assert.equal(all.filter((line) => line.event === "message.sent").length, 3, "the line itself is never lost");
});

test("an event nobody declared is an exception, and known to tests", () => {
	const { log, last } = logger();
	log.warn("no.such_event", {});
	assert.equal(last().event, "exception");
	assert.deepEqual([...log.undeclared], ["no.such_event"]);
});

test("whatever stands in it, a line is one line of JSON of 8 kB at most", () => {
	const { log, lines } = logger();
	const corpus = [
		"two\nlines\r\nof\u2028text",
		'{"ts":"2020","level":"info"}',
		"\u001b[31mred\u001b[0m",
		"\u202egnirts",
		"\ud800",
		"\0",
		"💥".repeat(5000),
		`"; DROP TABLE room_log; --`,
		`$\{jndi:ldap://x}`,
		"%s %d %j",
		"x".repeat(100_000),
	];
	for (const text of corpus)
		log.error("exception", { exception_message: text, exception_stack: `${text}\n    at here`, call: text, path: text });
	assert.equal(lines.length, corpus.length);
	for (const line of lines) {
		assert.ok(Buffer.byteLength(line) <= 8192, String(Buffer.byteLength(line)));
		assert.ok(!/[\n\r\u2028\u0000-\u001f\u202e]/.test(line));
		assert.equal((JSON.parse(line) as Line).event, "exception");
	}
});

test("an error's sentence is cut of addresses, passwords, people and what they wrote", () => {
	const { log, last } = logger();
	log.error("exception", {
		exception_message:
			'connect postgres://charla:hunter2@db/x failed for ana@example.org: "what she wrote" =(1, 2) AbCdEfGhIjKlMnOpQrStUvWxYz0123456789 "room_log"',
	});
	assert.equal(last().exception_message, 'connect <address> failed for <e-mail>: "…" =(…) <token> "room_log"');
});

test("the level decides, and may be changed at any time", () => {
	const { log, lines, kept } = logger("warn");
	log.info("message.sent", {});
	log.debug("history.page", {});
	assert.equal(lines.length, 0);
	log.level = "debug";
	log.debug("history.page", {});
	assert.equal(lines.length, 1);
	assert.equal(kept.size, 1);
	assert.deepEqual(
		kept.list({ level: "debug" }).map((line) => line.event),
		["history.page"],
	);
});

test("a full disk under standard output costs lines, not the process: counted, and told once a minute at most", async () => {
	const script = `
		import { openLog } from "./observability/log.ts";
		import { KeptLogs } from "./observability/kept-logs.ts";
		import { setTimeout as sleep } from "node:timers/promises";
		const kept = new KeptLogs();
		const log = openLog({ level: "info", build: "b1", terminal: false, kept });
		for (let i = 0; i < 3; i++) {
			log.info("service.stopped", { sockets_left: i });
			await sleep(20);
		}
		const told = kept.list({}).filter((line) => line.event === "log.dropped");
		process.stderr.write(JSON.stringify(told.map(({ fields }) => fields)));
	`;
	const full = openSync("/dev/full", "w");
	const child = spawnSync(process.execPath, ["--input-type=module-typescript", "--eval", script], {
		stdio: ["ignore", full, "pipe"],
		encoding: "utf8",
		cwd: new URL("../", import.meta.url),
	});
	closeSync(full);
	assert.deepEqual([child.status, child.stderr], [0, JSON.stringify([{ count: 1, reason: "output-failed" }])]);
});

test("whatever fails on a line's way, who tells is not disturbed, and the line is on standard output", () => {
	const failing = () => {
		throw new Error("never");
	};
	const log = openLog({ level: "info", build: "b1", terminal: true, kept: { add: failing } as unknown as KeptLogs });
	log.info("service.stopped", { sockets_left: 1 });
	const shipping = new Transport({ log: failing });
	const shipped = openLog({ level: "info", build: "b1", terminal: true, shipping });
	shipped.info("service.stopped", { sockets_left: 2 });
	shipped.raw({ event: "metrics.emf" });
});

test("what alarms are reckoned from is written whatever the level: each minute's metrics, the heartbeat, events of alarms", () => {
	const { log, lines } = logger("error");
	const heard = alarms.flatMap(({ signal }) => ("event" in signal ? signal.event : []));
	assert.ok(heard.includes("service.heartbeat"));
	for (const event of heard) log.info(event);
	log.raw({ event: "metrics.emf" });
	log.warn("message.rejected");
	assert.deepEqual(
		lines.map((line) => (JSON.parse(line) as Line).event),
		[...heard, "metrics.emf"],
	);
});

test("the instance's ARN goes to New Relic by the name it ties entities by", async () => {
	const exporter = new InMemoryLogRecordExporter();
	const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] });
	logs.setGlobalLoggerProvider(provider);
	const arn = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc";
	const log = openLog({ level: "info", build: "b1", terminal: true, isExported: true });
	log.info("service.heartbeat", { sockets: 1, aws_arn: arn });
	log.info("service.heartbeat", { sockets: 1 });
	assert.deepEqual(
		exporter.getFinishedLogRecords().map(({ attributes }) => attributes["newrelic.aws_metric_streams.arn"]),
		[arn, undefined],
	);
	await provider.shutdown();
	logs.disable();
});

test("of what happens all the time fifty lines a second are kept for /ops; whatever else happens has its room", () => {
	let at = 1_795_446_245_000;
	const kept = new KeptLogs(() => at);
	const line = (event: string, seq: number) => kept.add({ ts: new Date(at).toISOString(), level: "info", event, msg: "", seq });
	for (let seq = 1; seq <= 200; seq++) line("message.sent", seq);
	line("room.left", 201);
	assert.equal(kept.size, 51);
	assert.deepEqual(
		kept.list({ limit: 2 }).map(({ fields }) => fields.seq),
		[50, 201],
	);
	at += 1000;
	line("message.sent", 202);
	assert.equal(kept.size, 52);
});
