import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { openSocket, testCharla } from "../../tests/support/charla.ts";
import { lobbyId } from "../contract/fixed.ts";
import { openAdmission, type Reason } from "./admission.ts";

test("[I12] newcomers wait when the loop is late for some seconds, not for a single pause, and until it is well again", (t) => {
	let lag = 0;
	const told: (Reason | null)[] = [];
	const admission = openAdmission({
		maxSockets: 10,
		maxLag: 100,
		sockets: () => 0,
		lag: () => lag,
		onChange: (reason) => void told.push(reason),
	});
	t.after(admission.close);
	const look = (...lags: number[]) => {
		for (lag of lags) admission.look();
		return admission.refusal()?.reason ?? null;
	};
	assert.equal(look(0, 500, 500, 0, 500, 500), null);
	assert.equal(look(500), "busy");
	assert.equal(look(90, 60), "busy");
	assert.equal(look(40), null);
	assert.deepEqual(told, ["busy", null]);
});

test("[I12] newcomers wait when there are as many sockets as there may be, and the one who leaves makes room", (t) => {
	let sockets = 9;
	const admission = openAdmission({ maxSockets: 10, maxLag: 100, sockets: () => sockets, lag: () => 0 });
	t.after(admission.close);
	assert.equal(admission.refusal(), null);
	sockets = 10;
	assert.deepEqual(admission.refusal(), { reason: "full", seconds: 15 });
	sockets = 9;
	assert.equal(admission.refusal(), null);
});

test("[I12] who comes beyond the limit is told to wait and for how long; who is here goes on; who goes makes room", async (t) => {
	const written = t.mock.method(process.stdout, "write");
	const logged = () => written.mock.calls.map(({ arguments: [text] }) => String(text)).join("");
	await using charla = await testCharla({ env: { MAX_SOCKETS: "2", LOG_LEVEL: "info" } });
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const [atA, atB] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie)];
	const turnedAway = openSocket(charla.url, ben.cookie);
	const error = await turnedAway.welcomed.then(
		() => assert.fail("there was no room"),
		(refused: Error & { data?: unknown }) => refused,
	);
	turnedAway.raw.close();
	assert.equal(error.message, "busy");
	assert.deepEqual(error.data, { seconds: 15 });
	const isClosed = () => /"event":"admission.closed".*"reason":"full"/.test(logged());
	for (const end = Date.now() + 20_000; !isClosed(); await new Promise((done) => setTimeout(done, 20)))
		assert.ok(Date.now() < end, "operators hear that there is none");
	const answer = await atA.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: "still here" });
	assert.ok(answer.ok);
	await atB.until(() => atB.facts.some((fact) => fact.kind === "message-posted"));
	atB.raw.close();
	const isOpen = () => charla.realtime.count() === 1 && logged().includes('"admission.open"');
	for (const end = Date.now() + 20_000; !isOpen(); await new Promise((done) => setTimeout(done, 20)))
		assert.ok(Date.now() < end, "operators hear that there is room again");
	await charla.connect(ben.cookie);
});
