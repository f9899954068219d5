import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { everything, type TestChat, testChat } from "../../../tests/support/chat.ts";
import { commands, readCommand } from "../../contract/commands.ts";
import { lobbyId } from "../../contract/fixed.ts";
import type { Person } from "../../contract/shapes.ts";

const type = (t: TestChat, me: Person, roomId: string, body: string) =>
	t.chat.messages.post(me, { roomId, clientId: randomUUID(), body, replyTo: null });
const said = async (t: TestChat, me: Person, roomId: string) => (await everything(t.chat, me, roomId)).map((m) => m.body);

async function room() {
	const t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const { id } = await t.chat.rooms.create(ana, { name: "Books", topic: "Old", kind: "private" });
	const mine = async (who: Person) => (await t.chat.rooms.mine(who)).find((r) => r.id === id);
	return { t, ana, ben, id, mine, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

test("[M10] /help answers and posts nothing", async () => {
	await using r = await room();
	const clientId = randomUUID();
	const answer = await r.t.chat.messages.post(r.ana, { roomId: r.id, clientId, body: "/HELP", replyTo: null });
	assert.deepEqual(answer, { id: clientId, seq: null, notice: "help", goTo: `/rooms/${r.id}?panel=help` });
	assert.deepEqual(await said(r.t, r.ana, r.id), []);
});

test("what the page itself answers is refused where it comes from a form, and posts nothing", async () => {
	await using r = await room();
	for (const command of ["/journey", "/status", "/slo"]) await assert.rejects(type(r.t, r.ana, r.id, command), { code: "needs-script" });
	assert.deepEqual(await said(r.t, r.ana, r.id), []);
});

test("[M10] /topic and /rename change the room; /topic alone clears it", async () => {
	await using r = await room();
	await type(r.t, r.ana, r.id, "/topic  What we\u202e read ");
	assert.equal((await r.mine(r.ana))?.topic, "What we read");
	await type(r.t, r.ana, r.id, "/rename Novels");
	assert.equal((await r.mine(r.ana))?.name, "Novels");
	await type(r.t, r.ana, r.id, "/topic");
	assert.equal((await r.mine(r.ana))?.topic, "");
	await assert.rejects(type(r.t, r.ana, r.id, "/rename"), { code: "command-incomplete", details: { usage: "/rename …" } });
	await assert.rejects(type(r.t, r.ana, r.id, `/rename ${"x".repeat(61)}`), { code: "too-long", details: { limit: 60 } });
	await assert.rejects(type(r.t, r.ana, r.id, `/topic ${"x".repeat(201)}`), { code: "too-long", details: { limit: 200 } });
	await assert.rejects(type(r.t, r.ana, r.id, "/rename \u200b"), { code: "empty" });
	await assert.rejects(type(r.t, r.ana, lobbyId, "/rename Mine"), { code: "not-owner" });
	assert.deepEqual(await said(r.t, r.ana, r.id), []);
});

test("[M10] /invite brings somebody in", async () => {
	await using r = await room();
	await type(r.t, r.ana, r.id, "/invite @ben");
	assert.ok(await r.mine(r.ben));
	await assert.rejects(type(r.t, r.ana, r.id, "/invite"), { code: "command-incomplete" });
	await assert.rejects(type(r.t, r.ana, r.id, "/invite Nobody"), { code: "nobody-by-name", details: { name: "Nobody" } });
});

test("[M10] /msg opens the conversation and says where it is", async () => {
	await using r = await room();
	const answer = await type(r.t, r.ana, r.id, "/msg Ben");
	const direct = (await r.t.chat.rooms.mine(r.ben)).find((x) => x.kind === "direct");
	assert.deepEqual({ ...answer, id: "" }, { id: "", seq: null, notice: "opened", goTo: `/rooms/${direct?.id}` });
	await assert.rejects(type(r.t, r.ana, r.id, "/msg"), { code: "command-incomplete" });
	await assert.rejects(type(r.t, r.ana, r.id, "/msg Ana"), { code: "not-found" });
});

test("[M10] /leave leaves the room, except the lobby", async () => {
	await using r = await room();
	const answer = await type(r.t, r.ana, r.id, "/leave");
	assert.deepEqual({ ...answer, id: "" }, { id: "", seq: null, notice: "left", goTo: "/rooms" });
	assert.equal(await r.mine(r.ana), undefined);
	await assert.rejects(type(r.t, r.ana, lobbyId, "/leave"), { code: "lobby-stays" });
});

test("[M10] /shrug posts the text with a shrug, shown as one, within the limit of a message", async () => {
	await using r = await room();
	await type(r.t, r.ana, r.id, "/shrug who knows");
	await type(r.t, r.ana, r.id, "/shrug");
	const shown = (await everything(r.t.chat, r.ana, r.id)).map((m) => m.html);
	assert.deepEqual(shown, ["<p>who knows ¯\\_(ツ)_/¯</p>", "<p>¯\\_(ツ)_/¯</p>"]);
	await assert.rejects(type(r.t, r.ana, r.id, `/shrug ${"x".repeat(3993)}`), { code: "too-long", details: { limit: 4000 } });
});

test("[M10] an unknown command is refused and not posted; a path and a double slash are text", async () => {
	await using r = await room();
	for (const body of ["/nope", "/nope with words", " /Nope"])
		await assert.rejects(type(r.t, r.ana, r.id, body), { code: "unknown-command", details: { command: "/nope" } });
	await assert.rejects(type(r.t, r.ana, r.id, `/${"x".repeat(500)}`), { code: "unknown-command" });
	const texts = {
		"//nope": "/nope",
		"//": "/",
		"/etc/hosts": "/etc/hosts",
		"/": "/",
		"/ topic": "/ topic",
		"/123": "/123",
		"a /topic x": "a /topic x",
		"//topic x": "/topic x",
	};
	for (const body of Object.keys(texts)) await type(r.t, r.ana, r.id, body);
	assert.deepEqual(await said(r.t, r.ana, r.id), Object.values(texts));
	assert.equal((await r.mine(r.ana))?.topic, "Old");
});

test("[M10] every command that is listed is known, in both languages", async () => {
	await using r = await room();
	for (const { name, usage, words } of commands) {
		assert.equal(readCommand(usage)?.name, name);
		assert.ok(words.en && words.es);
		const outcome = await type(r.t, r.ana, r.id, `/${name}`).then(
			() => "done",
			(error: { code: string }) => error.code,
		);
		assert.notEqual(outcome, "unknown-command", name);
		await r.t.chat.rooms.invite(r.ben, { roomId: r.id, name: "Ana" }).catch(() => undefined);
		if (name === "leave") return;
	}
});
