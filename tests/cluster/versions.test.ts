import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openLedger } from "../chaos/ledger.ts";
import { openPerson } from "../chaos/person.ts";
import { testCharla } from "../support/charla.ts";
import { posts, say, until } from "../support/cluster.ts";

/** A kind of change that nobody has thought of yet. */
const later = 199;

test("[I19] kinds of a newer version in the log are passed over: live, catching up and on a new page, and what follows is whole", async (t) => {
	await using charla = await testCharla({ pages: true });
	const [ana, ben, eve] = [await charla.person("Ana"), await charla.person("Ben"), await charla.person("Eve")];
	const ledger = openLedger();
	const open = async (who: typeof ana) => {
		const person = await openPerson({ name: who.me.name, url: charla.url, cookie: who.cookie, roomId: lobbyId, ledger });
		t.after(() => person.close());
		return person;
	};
	const bodies = (person: Awaited<ReturnType<typeof openPerson>>) => person.live.getState().open?.messages.map((message) => message.body);
	const watching = await open(ana);
	const away = await open(eve);
	await until(() => watching.isSettled() && away.isSettled());
	const socket = await charla.connect(ben.cookie);
	const first = await say(socket, "before");
	await until(() => away.live.getState().cursors[lobbyId] === first);
	away.leave();

	// As another instance does that is newer: stored, and announced to nobody here.
	await charla.storage.sql.query(
		"",
		`with r as (update room set last_seq = last_seq + 1 where id = $1 returning last_seq)
     insert into room_log (room_id, seq, kind, author_id, client_key, body, meta)
     select $1, r.last_seq, $2, $3, $4, 'a poll', '{"poll": {"options": ["yes", "no"]}}' from r`,
		[lobbyId, later, ben.me.id, randomUUID()],
	);
	const last = await say(socket, "after");
	assert.equal(last, first + 2);
	await until(() => watching.live.getState().cursors[lobbyId] === last);
	away.comeBack();
	await until(() => away.isSettled() && away.live.getState().cursors[lobbyId] === last);
	const fresh = await open(await charla.person("Ida"));
	for (const person of [watching, away, fresh]) assert.deepEqual(bodies(person)?.slice(-2), ["before", "after"], person.name);
	assert.doesNotMatch(JSON.stringify(watching.live.getState()), /poll/);
	assert.deepEqual(posts(socket.facts), ["before", "after"]);
	const since = await socket.call("room:since", { cursors: [[lobbyId, first]] });
	assert.ok(since.ok);
	assert.deepEqual(
		since.data.rooms[0]?.facts.slice(0, 2).map((fact) => [fact.seq, fact.kind]),
		[
			[first + 1, "unknown-change"],
			[last, "message-posted"],
		],
	);
	// It counts as nothing to read.
	const room = watching.live.getState().rooms[lobbyId];
	assert.equal(room?.lastMsg, away.live.getState().rooms[lobbyId]?.lastMsg);
	assert.equal(room?.lastMsg, 2);
	assert.deepEqual(ledger.problems, []);
});
