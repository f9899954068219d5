import assert from "node:assert/strict";
import { test } from "node:test";
import { assertWhole, signalsOf as of, posts, say, testInstances, until } from "../support/cluster.ts";

test("[I9] two instances with nothing but the database between them are correct, only later, and the log says so", async (t) => {
	const lines: string[] = [];
	t.mock.method(process.stdout, "write", ((chunk: unknown) => lines.push(...String(chunk).trim().split("\n")) > 0) as never);
	await using cluster = await testInstances(2, { LOG_LEVEL: "warn" });
	const [a, b] = cluster.instances;
	assert.ok(a && b);
	await until(() => a.instances.others().length === 1 && b.instances.others().length === 1);
	const [ana, ben] = [await a.person("Ana"), await b.person("Ben")];
	const [atA, atB, anaAtB] = [await a.connect(ana.cookie), await b.connect(ben.cookie), await b.connect(ana.cookie)];
	const first = await say(atA, "m0");
	for (let i = 1; i < 30; i++) await say(i % 2 ? atB : atA, `m${i}`);
	for (const socket of [atA, atB, anaAtB]) {
		await socket.until(() => posts(socket.facts).filter((body) => /^m\d/.test(body)).length === 30, 15_000);
		assertWhole(socket, first);
	}
	const room = await a.chat.rooms.create(ana.me, { name: "Later", topic: "", kind: "private" });
	await a.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben" });
	await atB.until(() => of(atB, "room-added").some((signal) => signal.room.id === room.id), 15_000);
	const session = await a.auth.whoIs(ana.cookie);
	assert.ok(session);
	const closed = anaAtB.closed(20_000);
	await a.auth.leave(session);
	await closed;
	const said = lines.filter((line) => line.includes('"adapter.none"')).map((line) => JSON.parse(line) as { instances: number });
	assert.equal(said.length, 2, "once by each");
	assert.equal(said[0]?.instances, 2);
});
