import assert from "node:assert/strict";
import { test } from "node:test";
import { testCharla } from "../../tests/support/charla.ts";
import { say, testChat } from "../../tests/support/chat.ts";

test("[L3] [N9] who left at an instance that told nobody hears nothing of what came after, not even with the news of leaving", async () => {
	await using charla = await testCharla();
	// Another instance whose hints are all lost.
	await using mute = await testChat({ sql: charla.storage.sql });
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const room = await charla.chat.rooms.create(ana.me, { name: "Plans", topic: "", kind: "private" });
	await charla.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben" });
	const [a, b] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie)];
	await mute.chat.rooms.leave(ben.me, { roomId: room.id });
	await say(mute.chat, ana.me, room.id, "not for Ben");
	await a.until(() => a.facts.some((fact) => fact.kind === "message-posted" && fact.message.body === "not for Ben"), 15_000);
	await b.until(() => b.signals.some((signal) => signal.kind === "room-removed" && signal.roomId === room.id));
	assert.ok(await b.call("server:ping", {}), "whatever was on its way is here");
	assert.deepEqual(
		b.facts.filter((fact) => fact.roomId === room.id && fact.kind === "message-posted"),
		[],
	);
});
