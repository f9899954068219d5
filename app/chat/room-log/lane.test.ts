import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { everything, testChat } from "../../../tests/support/chat.ts";
import { append, lockRoom, logKind } from "./append.ts";
import { openLane } from "./lane.ts";

test("[R8] what was on its way when its author left is not stored behind their leaving; others in the room and elsewhere are stored once", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const books = await t.chat.rooms.create(ana, { name: "Books", topic: "", kind: "public" });
	const music = await t.chat.rooms.create(ben, { name: "Music", topic: "", kind: "public" });
	await t.chat.rooms.join(ben, { roomId: books.id });
	const lane = openLane(t.sql);
	const entry = (authorId: string, roomId: string, body: string) =>
		lane({ roomId, authorId, clientKey: randomUUID(), body, replyTo: null, isBot: false });

	// Ben is leaving: the room is locked and its change written, but not yet committed when the lane's statement begins.
	const leaving = Promise.withResolvers<void>();
	const isLocked = Promise.withResolvers<void>();
	const left = t.sql.transaction(async (sql) => {
		await lockRoom(sql, books.id);
		await sql.query("", "delete from member where room_id = $1 and user_id = $2", [books.id, ben.id]);
		await append(sql, { roomId: books.id, kind: logKind.leave, authorId: ben.id, clientKey: randomUUID() });
		isLocked.resolve();
		await leaving.promise;
	});
	await isLocked.promise;
	const answers = Promise.allSettled([
		entry(ben.id, books.id, "too late"),
		entry(ana.id, books.id, "still here"),
		entry(ben.id, music.id, "elsewhere"),
	]);
	const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
	while ((await t.sql.query("", waiting, [])).length === 0);
	leaving.resolve();
	await left;
	const [late, stays, elsewhere] = await answers;
	assert.equal(late?.status === "rejected" && (late.reason as { code: string }).code, "not-found");
	assert.deepEqual(
		[stays, elsewhere].map((answer) => answer?.status === "fulfilled" && answer.value.fresh),
		[true, true],
	);
	assert.deepEqual(
		(await everything(t.chat, ana, books.id)).map((message) => message.body),
		["still here"],
	);
	assert.deepEqual(
		(await everything(t.chat, ben, music.id)).map((message) => message.body),
		["elsewhere"],
	);
	const log = await t.sql.query<{ seq: number; kind: number }>("", "select seq, kind from room_log where room_id = $1 order by seq", [
		books.id,
	]);
	assert.deepEqual(
		log.map((row) => row.seq),
		log.map((_, i) => i + 1),
	);
	assert.deepEqual(
		log.slice(-2).map((row) => row.kind),
		[logKind.leave, logKind.message],
	);
});
