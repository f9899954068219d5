import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { sayRefused } from "../../app/words/index.server.ts";
import { testCharla } from "../support/charla.ts";
import { recordInMemory } from "../support/recorded.ts";

test("while the database takes nothing people are told so with a reference, which finds the trace of what they wrote", async (t) => {
	const recorded = recordInMemory();
	t.after(() => recorded.end());
	await using charla = await testCharla();
	const ana = await charla.connect((await charla.person("Ana")).cookie);
	await charla.storage.sql.query(
		"",
		"create function away() returns trigger language plpgsql as $$ begin raise exception 'away' using errcode = '57014'; end $$",
	);
	await charla.storage.sql.query("", "create trigger away before insert on room_log for each row execute function away()");
	const clientId = randomUUID();
	const answer = await ana.call("message:post", { roomId: lobbyId, clientId, body: "hello", replyTo: null });
	const reference = traceOf(clientId).traceId.slice(0, 12);
	assert.deepEqual(answer, { ok: false, code: "unavailable", details: { reference } });
	assert.match(sayRefused("en", "unavailable", { reference }), new RegExp(` \\(reference ${reference}\\)$`));
});
