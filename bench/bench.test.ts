import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type WebSocket, WebSocketServer } from "ws";
import { long } from "../tests/support/long.ts";
import { Audience } from "./audience.ts";
import { DeliveryCheck, type Faults, findNumber, numberedText } from "./delivery-check.ts";
import { rawWs } from "./dialects.ts";
import { faultsIn, judge } from "./goals.ts";
import { closedLoop } from "./load.ts";
import type { Figures, Result, ScenarioName } from "./scenarios.ts";
import { median, percentile } from "./statistics.ts";
import type { Running } from "./systems.ts";
import type { TelemetryResult } from "./telemetry.ts";

const members = 5;
const load = { outstanding: 4, senders: 2, milliseconds: 150 };
/** The delivery that goes wrong: the tenth message, on its way to one member. */
const tenth = 10;

/** Given what one member is to hear, decides what it does hear. */
type Tampering = (frame: string, count: number, send: (frame: string) => void) => void;

/** Raw ws, one room, as servers/ws-joined.ts speaks, except that one member's deliveries pass through `tamper`. */
async function measure(tamper: Tampering): Promise<{ faults: Faults; deliveries: number; messages: number }> {
	const http = createServer();
	const server = new WebSocketServer({ server: http });
	const sockets: WebSocket[] = [];
	let count = 0;
	server.on("connection", (socket) => {
		sockets.push(socket);
		socket.on("message", (bytes) => {
			const text = String(bytes);
			const brace = text.indexOf("{");
			socket.send(`a${text.slice(0, brace)}`);
			count++;
			for (const [i, member] of sockets.entries()) {
				const frame = `m${text.slice(brace)}`;
				if (i === members - 1) tamper(frame, count, (it) => member.send(it));
				else member.send(frame);
			}
		});
		socket.send("0");
	});
	http.listen(0, "127.0.0.1");
	await once(http, "listening");
	const running: Running = {
		name: "tampered",
		pid: process.pid,
		port: (http.address() as AddressInfo).port,
		dialect: rawWs,
		rooms: [{ id: "r0", cookies: new Array<null>(members).fill(null) }],
		memory: async () => ({ resident: 0, live: 0 }),
		stop: async () => undefined,
	};
	const audience = await Audience.gather(running, load.senders);
	try {
		const { deliveries, messages } = await closedLoop(audience, process.pid, load, 200);
		return { faults: audience.faults(), deliveries, messages };
	} finally {
		audience.leave();
		for (const socket of sockets) socket.terminate();
		http.close();
	}
}

describe("the check of deliveries, over real sockets", () => {
	test("finds nothing wrong where nothing is", async () => {
		const { faults, deliveries, messages } = await measure((frame, _count, send) => send(frame));
		assert.deepEqual(faults, { lost: 0, duplicated: 0, reordered: 0 });
		assert.ok(messages > tenth, `${messages} messages are too few to prove anything`);
		assert.equal(deliveries, messages * members);
	});

	test("finds the one that was lost", async () => {
		const { faults } = await measure((frame, count, send) => count !== tenth && send(frame));
		assert.deepEqual(faults, { lost: 1, duplicated: 0, reordered: 0 });
	});

	test("finds the one that came twice", async () => {
		const { faults } = await measure((frame, count, send) => {
			send(frame);
			if (count === tenth) send(frame);
		});
		assert.deepEqual(faults, { lost: 0, duplicated: 1, reordered: 0 });
	});

	test("finds two of one sender that were swapped", async () => {
		const numberOf = (frame: string) => findNumber(Buffer.from(frame), 0, frame.length);
		let held: string | null = null;
		const { faults } = await measure((frame, count, send) => {
			// Of the first sender, whose numbers are small; the next of its messages goes ahead of this one.
			if (held === null && count >= tenth && numberOf(frame) < 10_000_000) {
				held = frame;
				return;
			}
			send(frame);
			if (held && held !== "sent" && numberOf(frame) < 10_000_000) {
				send(held);
				held = "sent";
			}
		});
		assert.equal(held, "sent");
		assert.equal(faults.lost + faults.duplicated, 0);
		assert.equal(faults.reordered, 1);
	});
});

describe("the check by itself", () => {
	function check(heard: [receiver: number, sender: number, n: number][]): Faults {
		const one = new DeliveryCheck(2, 2);
		for (const sender of [0, 1]) for (let i = 0; i < 2; i++) one.take(sender);
		for (const [receiver, sender, n] of heard) {
			const text = Buffer.from(numberedText(sender, n));
			one.heard(receiver, findNumber(text, 0, text.length));
		}
		return one.faults();
	}
	const all = (receiver: number): [number, number, number][] => [
		[receiver, 0, 0],
		[receiver, 1, 0],
		[receiver, 0, 1],
		[receiver, 1, 1],
	];

	test("two members who hear two senders the other way round do not agree", () => {
		const [a, b, c, d] = all(1) as [[number, number, number], [number, number, number], [number, number, number], [number, number, number]];
		assert.deepEqual(check([...all(0), ...all(1)]), { lost: 0, duplicated: 0, reordered: 0 });
		assert.deepEqual(check([...all(0), b, a, c, d]), { lost: 0, duplicated: 0, reordered: 1 });
	});

	test("a member who hears nothing at all loses everything", () => {
		assert.deepEqual(check(all(0)), { lost: 4, duplicated: 0, reordered: 0 });
	});

	test("a message nobody sent is an error", () => {
		assert.throws(() => check([[0, 1, 7]]), /nobody sent/);
	});

	test("the text is 80 bytes and carries its number", () => {
		const text = Buffer.from(`42["fact",{"body":"${numberedText(3, 123)}"}]`);
		assert.equal(numberedText(3, 123).length, 80);
		assert.equal(findNumber(text, 0, text.length), 30_000_123);
		assert.equal(findNumber(Buffer.from('42["signal",{}]'), 0, 15), -1);
	});
});

test("a single fault in any system is counted, and no goal hides it", () => {
	const sound: Figures = { ratioToBare: 3, ratioToJoinedWs: 1, lost: 0, duplicated: 0, reordered: 0 };
	const result: Result = { charla: sound, "bare-socket.io": sound, "ws-joined": { ...sound, duplicated: 1 } };
	assert.equal(faultsIn({ "1x100": result }), 1);
	const goals = judge({ "1x100": result });
	assert.equal(goals["1x100 to bare Socket.IO"]?.met, true);
	assert.equal(goals["lost, duplicated, reordered"]?.met, false);
	assert.equal(judge({ "1x100": { ...result, charla: { ...sound, ratioToBare: 1.99 } } })["1x100 to bare Socket.IO"]?.met, false);
});

test("medians and percentiles", () => {
	assert.equal(median([3, 1, 2]), 2);
	assert.equal(median([4, 1, 2, 3]), 2.5);
	assert.equal(percentile([5, 1, 4, 2, 3], 0.5), 3);
	assert.equal(percentile([1, 2, 3], 0.99), 3);
});

/** Runs the real thing as `npm run bench -- --quick --json` does. */
async function bench(args: string[], onStart: (child: ReturnType<typeof spawn>) => void = () => undefined) {
	const child = spawn(process.execPath, [fileURLToPath(new URL("./run.ts", import.meta.url)), "--quick", "--json", ...args], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	onStart(child);
	const output = { stdout: "", stderr: "" };
	child.stdout?.on("data", (bytes) => {
		output.stdout += bytes;
	});
	child.stderr?.on("data", (bytes) => {
		output.stderr += bytes;
	});
	const [code] = await once(child, "close");
	return { code: code as number, ...output };
}

describe("the run", () => {
	long("--quick --json gives one object with every figure that is promised", { timeout: 240_000 }, async () => {
		const { code, stdout, stderr } = await bench([]);
		assert.equal(code, 0, stderr);
		assert.equal(stdout.trim().split("\n").length, 1);
		const { scenarios, goals, machine } = JSON.parse(stdout) as { scenarios: Record<ScenarioName, Result>; goals: object; machine: object };
		const promised: Record<ScenarioName, string[]> = {
			"1x100": ["deliveriesPerCpuSecond", "ratioToBare", "ratioToJoinedWs", "messages", "ackP50", "ackP99"],
			"50x20": ["deliveriesPerCpuSecond", "ratioToBare", "ratioToJoinedWs", "messages", "ackP50", "ackP99"],
			paced: ["ackP50", "ackP99", "deliveryP50", "deliveryP99", "messages"],
			idle: ["kilobytesPerConnection", "connections"],
			storm: ["connects", "failures", "seconds"],
		};
		for (const [name, figures] of Object.entries(promised)) {
			for (const system of ["charla", "bare-socket.io", "ws-joined"] as const) {
				const measured = scenarios[name as ScenarioName][system];
				for (const figure of figures) assert.ok(Number.isFinite(measured[figure]), `${name} ${system} ${figure} is ${measured[figure]}`);
				assert.deepEqual([measured.lost, measured.duplicated, measured.reordered], [0, 0, 0]);
			}
		}
		assert.equal(scenarios["1x100"]["bare-socket.io"].ratioToBare, 1);
		for (const goal of Object.values(goals)) assert.deepEqual(Object.keys(goal).sort(), ["goal", "met", "value"]);
		assert.equal(Object.keys(goals).length, 9);
		assert.ok("pinning" in machine);
		assert.match(stderr, /round 1 charla/);
	});

	long("--telemetry --quick --json gives the figures of telemetry, and nothing is lost on the way", { timeout: 240_000 }, async () => {
		const { code, stdout, stderr } = await bench(["--telemetry"]);
		assert.equal(code, 0, stderr);
		const { telemetry } = JSON.parse(stdout) as { telemetry: TelemetryResult };
		for (const figure of ["throughputRatio", "p99Ratio", "rssMb", "startMs", "cpuMicroseconds"] as const)
			assert.ok(Number.isFinite(telemetry[figure]), `${figure} is ${telemetry[figure]}`);
		assert.equal(telemetry.faults, 0);
		assert.deepEqual(Object.keys(telemetry.parts), ["on", "kept"]);
		assert.equal(telemetry.shape, "1x100");
		// No measurement, two short rounds: only what is grossly wrong would show.
		assert.ok(telemetry.throughputRatio > 0.2 && telemetry.startMs < 10_000, JSON.stringify(telemetry));
	});

	long("ends its servers when it is interrupted", { timeout: 60_000 }, async () => {
		const pids: number[] = [];
		const { code } = await bench(["--scenario", "storm"], (child) => {
			setTimeout(() => {
				pids.push(...readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ").map(Number));
				child.kill("SIGINT");
			}, 1500);
		});
		assert.equal(code, 130);
		assert.ok(pids.length > 0 && pids[0] !== 0, "no server was running yet");
		for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
	});

	test("says which scenarios there are", async () => {
		const { code, stderr } = await bench(["--scenario", "nothing"]);
		assert.equal(code, 2);
		assert.match(stderr, /1x100, 50x20, paced, idle, storm/);
	});
});
