import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { type ReceiverMode, startOtlpReceiver } from "../tests/support/otlp-receiver.ts";

/** A process with telemetry and a last resort, in which something breaks; what it left behind. */
async function broken(t: TestContext, how: string, mode: ReceiverMode = "well") {
	const receiver = await startOtlpReceiver();
	t.after(() => receiver.close());
	receiver.behave(mode);
	const script = `
		import { endOnUncaught } from "./observability/last-resort.ts";
		import { openOwnLog } from "./observability/own-log.ts";
		endOnUncaught(() => openOwnLog({ logLevel: "info", accessLog: null }, "b1"));
		setInterval(() => {}, 1000);
		${how}
	`;
	const args = ["--import", "./observability/start.ts", "--input-type=module-typescript", "--eval", script];
	const child = spawn(process.execPath, args, {
		cwd: new URL("../", import.meta.url),
		env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
	const exceptions = out
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line) as Record<string, unknown>)
		.filter((line) => line.event === "exception")
		.map((line) => [line.call, line.exception_type, line.exception_message, line.handled]);
	return { code, error, exceptions, receiver };
}

for (const [origin, how] of [
	["uncaughtException", 'setTimeout(() => { throw new RangeError("broken for ana@example.org"); });'],
	["unhandledRejection", 'void Promise.reject(new RangeError("broken for ana@example.org"));'],
] as const)
	test(`what nobody caught (${origin}) is one line of the contract, exported too, and the process ends with 1`, async (t) => {
		const { code, error, exceptions, receiver } = await broken(t, how);
		assert.deepEqual([code, error], [1, ""]);
		assert.deepEqual(exceptions, [[origin, "RangeError", "broken for <e-mail>", false]]);
		assert.deepEqual(
			receiver.logs.map((log) => [log.eventName, log.attributes.call]),
			[["exception", origin]],
		);
	});

test("a receiver that hangs does not keep a process that broke, and what breaks on the way out is no second line", async (t) => {
	const how = 'setTimeout(() => { throw new RangeError("first"); }); setTimeout(() => { throw new RangeError("second"); }, 1);';
	const { code, exceptions } = await broken(t, how, "hang");
	assert.deepEqual([code, exceptions], [1, [["uncaughtException", "RangeError", "first", false]]]);
});
