import assert from "node:assert/strict";
import { test } from "node:test";
import { openRecorder } from "../recorder.ts";

test("what is stored stays stored, whatever fails in telling of it", async () => {
	const failing = () => {
		throw new RangeError("never");
	};
	const recorder = openRecorder({
		log: { debug: failing, info: failing, warn: failing, error: failing },
		isUnavailable: () => false,
		isSampled: () => false,
		onQuiet: failing,
	});
	const clientId = "0190a000-0000-4000-8000-000000000001";
	const messages = recorder.observe("messages", { post: async (_me: object, _input: object) => ({ seq: 7 }) });
	assert.deepEqual(await messages.post({ id: "u" }, { clientId, roomId: "r", body: "hello" }), { seq: 7 });
	const rooms = recorder.observe("rooms", { join: async (_me: object) => ({ id: "r", kind: "public" }) });
	assert.deepEqual(await rooms.join({ id: "u" }), { id: "r", kind: "public" });
});
