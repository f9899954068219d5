import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kept, talk } from "../../infra/canary/two-people.ts";
import { openBrowser } from "../support/browser.ts";
import { testCharla } from "../support/charla.ts";

test("the two of the canary enter once, talk, and are the same the next time; what is broken stops them at its step", async () => {
	await using charla = await testCharla({ pages: true });
	const browser = await openBrowser();
	const steps: string[] = [];
	const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
		steps.push(name);
		return work();
	};
	const once = (kept: Kept | null) => talk(browser, { url: charla.url, kept, step });

	const first = await once(null);
	assert.deepEqual(steps.splice(0), ["load", "enter", "connect", "send", "seen by the other", "answered", "history"]);
	assert.ok(first.delivery >= 0 && first.kept.sessions.length === 2, JSON.stringify(first.delivery));

	const second = await once(first.kept);
	assert.deepEqual(steps.splice(0), ["load", "connect", "send", "seen by the other", "answered", "history"]);
	assert.equal(second.kept, first.kept);
	const rows = await charla.storage.sql.query<{ people: number; messages: number }>(
		"canary-test",
		`select (select count(*)::int from app_user where display_name like 'Canary %') people,
			(select count(*)::int from room_log where body like 'ping %' or body like 're: ping %') messages`,
	);
	assert.deepEqual(rows, [{ people: 2, messages: 4 }]);

	// Their sessions are gone, as after a month: they come in anew, with a room of their own.
	const stale: Kept = {
		...first.kept,
		sessions: [
			{ cookies: [], origins: [] },
			{ cookies: [], origins: [] },
		],
	};
	const third = await once(stale);
	assert.equal(steps.splice(0)[1], "enter");
	assert.notEqual(third.kept.room, first.kept.room);

	await charla.stop();
	await assert.rejects(once(third.kept));
	assert.deepEqual(steps, ["load"]);
});
