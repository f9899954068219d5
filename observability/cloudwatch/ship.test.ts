import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startCloudWatchLogs } from "../../tests/support/cloudwatch-logs.ts";
import { openLog } from "../log.ts";
import { Delivery } from "./delivery.ts";
import { openShipping, type ShipLimits, type Shipping } from "./ship.ts";

process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

/** A request is waited for as long as the test may take: one that is only slow would be sent again, and its lines doubled. */
const soon: Partial<ShipLimits> = { uploadRate: 20, requestTimeout: 60_000, firstPause: 10 };
type Open = { limits?: Partial<ShipLimits>; spillDir?: string; groups?: string[]; endpoint?: string };

/** A CloudWatch, and a way to open what ships to it; both end with the test. */
async function scene(t: TestContext, groups = ["app"]) {
	const cloud = await startCloudWatchLogs({ groups });
	const dir = mkdtempSync(path.join(tmpdir(), "charla-ship-"));
	const opened: Shipping[] = [];
	t.after(async () => {
		for (const shipping of opened) await shipping.stop(0);
		await cloud.close();
		rmSync(dir, { recursive: true, force: true });
	});
	function open(given: Open = {}) {
		const [group = "app", accessGroup = null, auditGroup = null] = given.groups ?? groups;
		const shipping = openShipping(
			{
				instance: "test:1/7",
				cloudWatch: {
					group,
					accessGroup,
					auditGroup,
					region: "eu-west-1",
					endpoint: given.endpoint ?? cloud.endpoint,
					spillDir: given.spillDir ?? dir,
				},
			},
			{ ...soon, ...given.limits },
		);
		opened.push(shipping);
		const troubles: { event: string; fields: Record<string, unknown> }[] = [];
		shipping.onTrouble((event, fields) => troubles.push({ event, fields }));
		return { shipping, troubles };
	}
	return { cloud, dir, open };
}

let number = 0;
/** What the logger hands over; lines are numbered so that each can be found again. */
function lineOf(event = "message.sent", padding = ""): { line: Record<string, string>; json: string } {
	const line = { event, no: String(++number), padding };
	return { line, json: JSON.stringify(line) };
}

function write(shipping: Shipping, many: number, event?: string, padding?: string): string[] {
	return Array.from({ length: many }, () => {
		const info = lineOf(event, padding);
		shipping.transport.log?.(info, () => undefined);
		return info.json;
	});
}

async function until(isSo: () => boolean, what: string): Promise<void> {
	for (const end = Date.now() + 60_000; !isSo(); await sleep(10)) assert.ok(Date.now() < end, `not in time: ${what}`);
}

/** Nothing is ever unaccounted for. */
function addsUp(shipping: Shipping): void {
	const { written, exported, dropped, queued } = shipping.figures();
	assert.equal(written, exported + dropped + queued, JSON.stringify(shipping.figures()));
}

test("lines of the logger arrive as they are, once, in order, each kind in its group", async (t) => {
	const { cloud, open } = await scene(t, ["app", "access", "audit"]);
	const { shipping } = open();
	const log = openLog({ level: "info", build: "b", terminal: true, shipping: shipping.transport });
	for (let i = 0; i < 20; i++) log.info("message.sent", { message_id: `m${i}`, duration_ms: i });
	log.info("http.request", { path: "/rooms" });
	log.warn("log.level_changed", { level_from: "info", level_to: "debug" });
	log.raw({ _aws: { Timestamp: 1 }, Sends: 3 });
	log.debug("message.sent", { message_id: "not wanted" });
	await shipping.stop(5000);

	const lines = cloud.lines("app").map((line) => JSON.parse(line) as Record<string, unknown>);
	assert.deepEqual(
		lines.slice(0, 20).map((line) => [line.event, line.message_id, line.duration_ms]),
		Array.from({ length: 20 }, (_, i) => ["message.sent", `m${i}`, i]),
	);
	assert.deepEqual(lines.slice(20), [{ _aws: { Timestamp: 1 }, Sends: 3 }]);
	assert.deepEqual(
		["access", "audit"].map((group) => cloud.lines(group).map((line) => JSON.parse(line).event)),
		[["http.request"], ["log.level_changed"]],
	);
	assert.deepEqual([...cloud.streams.keys()].sort(), ["access:test-1/7/access", "app:test-1/7/app", "audit:test-1/7/audit"]);
	// Groups are there and nothing is described: a stream each, and lines.
	assert.deepEqual([...new Set(cloud.calls.map(({ action }) => action))].sort(), ["CreateLogStream", "PutLogEvents"]);
	assert.equal(cloud.calls.filter(({ action }) => action === "CreateLogStream").length, 3);
	assert.deepEqual([shipping.figures().exported, shipping.figures().queued, shipping.figures().dropped], [23, 0, 0]);
});

test("a group that is not there is made, and a stream that disappears is made again", async (t) => {
	const { cloud, open } = await scene(t, []);
	const { shipping } = open({ groups: ["app"] });
	const first = write(shipping, 3);
	await until(() => cloud.lines("app").length === 3, "the first three");
	cloud.streams.clear();
	const second = write(shipping, 3);
	await until(() => cloud.lines("app").length === 3, "the next three");
	assert.deepEqual(cloud.lines("app"), second);
	assert.equal(first.length, 3);
	addsUp(shipping);
});

for (const mode of ["throttle", "unavailable", "hang", "reset"] as const) {
	// What hangs costs its time-out each time, and that must be long enough for the answers after it.
	const [times, often] = mode === "hang" ? [2, "twice"] : [6, "six times"];
	test(`nothing is lost or doubled when CloudWatch fails ${often}: ${mode}`, async (t) => {
		const { cloud, open } = await scene(t);
		cloud.behave(mode, times);
		const { shipping, troubles } = open(mode === "hang" ? { limits: { requestTimeout: 1000 } } : {});
		const all: string[] = [];
		for (let turn = 0; turn < 10; turn++) {
			const before = cloud.calls.length;
			all.push(...write(shipping, 20));
			await until(() => cloud.calls.length > before, "another request");
			addsUp(shipping);
		}
		await until(() => cloud.lines("app").length === all.length, "all lines");
		assert.deepEqual(cloud.lines("app"), all);
		// Told at once, and not again for each attempt.
		assert.deepEqual(
			troubles.map(({ event }) => event),
			["log.ship_failed"],
		);
		assert.equal(troubles[0]?.fields.count, 1);
		assert.ok(shipping.figures().lastError);
		assert.equal(shipping.figures().dropped, 0);
	});
}

for (const [chance, least] of [
	["least", 0],
	["most", 1],
] as const)
	test(`attempts keep growing apart while CloudWatch is away, up to ten seconds, half of it by chance (the ${chance})`, async (t) => {
		t.mock.timers.enable({ apis: ["setTimeout"] });
		t.mock.method(Math, "random", () => least);
		let attempts = 0;
		const refuse = () => {
			attempts++;
			return Promise.reject(new Error("away"));
		};
		const client = { createLogStream: refuse, createLogGroup: refuse, putLogEvents: refuse };
		const delivery = new Delivery({ client: client as never, group: "app", stream: "s", firstPause: 200, onFailure() {} });
		const put = delivery.put([{ timestamp: 1, message: "{}" }]);
		const settled = () => new Promise((done) => setImmediate(done));
		await settled();
		for (const [done, pause] of [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].entries()) {
			const waits = least === 1 ? pause : pause / 2;
			assert.equal(attempts, done + 1);
			t.mock.timers.tick(waits - 1);
			await settled();
			assert.equal(attempts, done + 1, `none within ${waits} ms`);
			t.mock.timers.tick(1);
			await settled();
		}
		delivery.giveUp();
		assert.equal((await put).left.length, 1);
	});

test("what waits goes to disk beyond a bound, and all of it is sent when CloudWatch is back", async (t) => {
	const { cloud, dir, open } = await scene(t);
	cloud.behave("reset");
	const queueBytes = 100_000;
	const { shipping, troubles } = open({ limits: { queueBytes } });
	const all: string[] = [];
	for (let turn = 0; turn < 20; turn++) {
		all.push(...write(shipping, 100, "message.sent", "x".repeat(400)));
		addsUp(shipping);
		await new Promise((done) => setImmediate(done));
	}
	const { spilled, queued } = shipping.figures();
	assert.ok(spilled > 1000, `${spilled} on disk`);
	// What is in memory: the queue, and the one batch that is tried again and again.
	assert.ok((queued - spilled) * 500 < queueBytes + 1_048_576, `${queued - spilled} in memory`);
	for (const file of readdirSync(dir)) assert.equal(statSync(path.join(dir, file)).mode & 0o077, 0, "nobody else reads them");
	await until(() => troubles.length > 0, "the first failure");
	cloud.behave("well");
	await until(() => shipping.figures().queued === 0, "everything sent");
	assert.deepEqual([...cloud.lines("app")].sort(), [...all].sort());
	assert.equal(cloud.lines("app").length, all.length);
	assert.deepEqual(readdirSync(dir), []);
	assert.deepEqual(
		troubles.map(({ event }) => event),
		["log.ship_failed"],
	);
	addsUp(shipping);
});

test("when the disk is full too, what is lost is counted and told", async (t) => {
	const { cloud, open } = await scene(t);
	cloud.behave("unavailable");
	const { shipping, troubles } = open({ limits: { queueBytes: 50_000, spillBytes: 100_000 } });
	const all = write(shipping, 2000, "message.sent", "x".repeat(200));
	const { dropped, spilled } = shipping.figures();
	assert.ok(dropped > 0 && spilled > 0);
	addsUp(shipping);
	cloud.behave("well");
	await until(() => shipping.figures().queued === 0, "the rest sent");
	const arrived = cloud.lines("app");
	assert.equal(arrived.length + shipping.figures().dropped, all.length);
	assert.equal(new Set(arrived).size, arrived.length);
	await shipping.stop(1000);
	const told = troubles.filter(({ event }) => event === "log.dropped");
	assert.equal(
		told.reduce((sum, { fields }) => sum + Number(fields.count), 0),
		dropped,
	);
	assert.ok(told.every(({ fields }) => fields.reason === "spill-full"));
});

test("a folder that cannot be written to is a loss that is told, and the chat goes on", async (t) => {
	const { cloud, dir, open } = await scene(t);
	cloud.behave("reset");
	const notAFolder = path.join(dir, "a-file");
	writeFileSync(notAFolder, "");
	const { shipping, troubles } = open({ limits: { queueBytes: 10_000 }, spillDir: path.join(notAFolder, "in-it") });
	write(shipping, 500, "message.sent", "x".repeat(200));
	assert.ok(shipping.figures().dropped > 0);
	assert.equal(troubles.find(({ event }) => event === "log.dropped")?.fields.reason, "spill-failed");
	addsUp(shipping);
});

test("a stop in the middle of an outage ends in time; the next start sends what was left", { timeout: 60_000 }, async (t) => {
	const { cloud, dir, open } = await scene(t);
	cloud.behave("hang");
	// Longer than this test may take: a stop that waited for the answer would never end.
	const first = open({ limits: { requestTimeout: 600_000 } });
	const all = write(first.shipping, 50);
	await until(() => cloud.calls.length > 0, "a request that hangs");
	all.push(...write(first.shipping, 50));
	await first.shipping.stop(200);
	assert.equal(first.shipping.figures().spilled, 100);
	addsUp(first.shipping);

	cloud.behave("well");
	// As a process of another number would find it.
	for (const file of readdirSync(dir)) assert.match(file, new RegExp(`^${process.pid}-\\d+-\\d+\\.ndjson$`));
	const next = open();
	await until(() => next.shipping.figures().exported === 100, "what was left");
	assert.deepEqual([...cloud.lines("app")].sort(), all.sort());
	assert.deepEqual(readdirSync(dir), []);
	addsUp(next.shipping);
});

test("a request refused for good does not hold up the lines after it", async (t) => {
	const { cloud, dir, open } = await scene(t);
	const { shipping, troubles } = open();
	write(shipping, 1);
	await until(() => cloud.lines("app").length === 1, "the stream");
	cloud.behave("refuse", 1);
	write(shipping, 2);
	await until(() => shipping.figures().dropped === 2, "two refused");
	const after = write(shipping, 2);
	await until(() => cloud.lines("app").length === 3, "the lines after");
	assert.deepEqual(cloud.lines("app").slice(1), after);
	assert.deepEqual(
		troubles.map(({ event, fields }) => [event, fields.reason]),
		[
			["log.ship_failed", undefined],
			["log.dropped", "invalid"],
		],
	);
	// For whoever looks into it; never sent again.
	assert.match(readdirSync(dir).join(), /^refused-\d+-\d+-2\.ndjson$/);
	addsUp(shipping);
});

test("10,000 lines and a megabyte are the most a request has, whatever waits; a line is cut between characters", async (t) => {
	const { cloud, open } = await scene(t);
	const { shipping } = open({ limits: { queueBytes: 40_000_000 } });
	const short = write(shipping, 12_000);
	const long = write(shipping, 30, "message.sent", "x".repeat(90_000));
	const [longest = ""] = write(shipping, 1, "message.sent", "€".repeat(200_000));
	await until(() => shipping.figures().queued === 0, "all sent");
	const arrived = cloud.lines("app");
	assert.deepEqual(arrived.slice(0, -1), [...short, ...long]);
	const cut = arrived.at(-1) as string;
	assert.ok(Buffer.byteLength(cut) <= 250_000 && Buffer.byteLength(cut) > 249_990, String(Buffer.byteLength(cut)));
	assert.ok(longest.startsWith(cut));
	assert.ok(cloud.calls.every(({ answered }) => answered !== "InvalidParameterException"));
	assert.ok(Math.max(...cloud.calls.map(({ events }) => events)) === 10_000);
});

test("what waited on disk for more than 14 days is left out by CloudWatch, and counted", async (t) => {
	const { dir, open } = await scene(t);
	const old = Date.now() - 15 * 86_400_000;
	const lines = [old, old + 1, Date.now()].map((at) => JSON.stringify({ to: "app", at, line: `{"at":${at}}` }));
	writeFileSync(path.join(dir, "999999999-1-3.ndjson"), `${lines.join("\n")}\n`);
	const { shipping, troubles } = open();
	await until(() => shipping.figures().queued === 0, "sent");
	assert.deepEqual([shipping.figures().exported, shipping.figures().dropped], [1, 2]);
	assert.equal(troubles.find(({ event }) => event === "log.dropped")?.fields.reason, "rejected");
	assert.equal(existsSync(path.join(dir, "999999999-1-3.ndjson")), false);
	addsUp(shipping);
});
