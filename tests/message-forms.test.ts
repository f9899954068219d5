import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { lobbyId } from "../app/contract/fixed.ts";
import { testCharla } from "./support/charla.ts";
import { everything, say } from "./support/chat.ts";
import { holdClock } from "./support/held-timers.ts";

const room = `/rooms/${lobbyId}`;

/** Charla with its pages, and Ana's and Ben's browsers, in which no script runs. */
async function scene(env: Record<string, string> = {}) {
	const charla = await testCharla({ env, pages: true });
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const get = (path: string, cookie = ana.cookie) => fetch(`${charla.url}${path}`, { redirect: "manual", headers: { cookie } });
	const send = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
		fetch(`${charla.url}${path}`, {
			method: "POST",
			redirect: "manual",
			headers: { cookie: ana.cookie, origin: charla.url, "content-type": "application/x-www-form-urlencoded", ...headers },
			body: new URLSearchParams(fields).toString(),
		});
	return {
		charla,
		ana,
		ben,
		get,
		send,
		say: (who: typeof ana, body: string) => say(charla.chat, who.me, lobbyId, body),
		/** What stands in the lobby, oldest first: an edited text with a star, a deleted one as null, a reply with what it answers. */
		async stands(): Promise<unknown[]> {
			const all = await everything(charla.chat, ana.me, lobbyId);
			return all.map(({ body, editedAt, deletedAt, replyTo }) =>
				deletedAt !== null ? null : `${body}${editedAt === null ? "" : "*"}${replyTo ? ` > ${replyTo.excerpt}` : ""}`,
			);
		},
		/** How many entries the lobby's log has. */
		entries: async () => (await charla.chat.rooms.open(ana.me, { roomId: lobbyId })).room.lastSeq,
		[Symbol.asyncDispose]: () => charla[Symbol.asyncDispose](),
	};
}

/** The form of a page as its browser would send it: the key and the text in it. */
function formIn(html: string): { clientId: string; body?: string } {
	const form = /<form method="post"[\s\S]*<\/form>/.exec(html)?.[0] ?? "";
	const clientId = /name="clientId" value="([^"]+)"/.exec(form)?.[1];
	assert.ok(clientId, "a form with a key");
	const body = /<textarea[^>]*>([^<]*)<\/textarea>/.exec(form)?.[1];
	const plain = body
		?.replace(/&lt;/g, "<")
		.replace(/&gt;/g, ">")
		.replace(/&quot;/g, '"')
		.replace(/&#x27;/g, "'")
		.replace(/&amp;/g, "&");
	return plain === undefined ? { clientId } : { clientId, body: plain.replace(/^\n/, "") };
}
const at = (seq: number, deed: string) => `${room}/messages/${seq}/${deed}`;

test("[M17] the room links every message to a reply, and my own to an edit and a deletion", async () => {
	await using s = await scene();
	const [mine, theirs, gone] = [await s.say(s.ana, "mine"), await s.say(s.ben, "theirs"), await s.say(s.ana, "gone")];
	await s.charla.chat.messages.remove(s.ana.me, { roomId: lobbyId, clientId: randomUUID(), seq: gone });
	const links = async (path: string) =>
		Array.from((await (await s.get(path)).text()).matchAll(/href="([^"]*\/messages\/[^"]*)"/g), (link) => link[1]);
	assert.deepEqual(await links(room), [at(mine, "reply"), at(mine, "edit"), at(mine, "delete"), at(theirs, "reply")]);
	// A numbered page leads to the message's place in the room, and with it to them.
	assert.match(await (await s.get(`${room}/pages/1`)).text(), new RegExp(`href="${room}\\?at=${mine}#m${mine}"`));
	assert.match(await (await s.get(`${room}?at=${mine}`)).text(), new RegExp(`id="m${mine}"[\\s\\S]*href="${at(mine, "edit")}"`));
});

test("[M17] an edit by form is one edit however often it is sent, and leads back to where the message stands", async () => {
	await using s = await scene();
	const text = 'Lines\n\tand <b>"signs"</b> &amp; all';
	const seq = await s.say(s.ana, text);
	const page = await s.get(at(seq, "edit"));
	assert.equal(page.status, 200);
	const form = formIn(await page.text());
	assert.equal(form.body, text, "the field holds the message");
	// As it came, with a browser's line ends: nothing was changed.
	await s.send(at(seq, "edit"), { ...form, body: text.replaceAll("\n", "\r\n") });
	assert.deepEqual(await s.stands(), [text]);
	const edited = { ...form, body: `${text}, better` };
	const answers = await Promise.all(Array.from({ length: 4 }, () => s.send(at(seq, "edit"), edited)));
	for (const answer of answers) assert.deepEqual([answer.status, answer.headers.get("location")], [302, `${room}?at=${seq}#m${seq}`]);
	assert.deepEqual(await s.stands(), [`${text}, better*`]);
	assert.equal(await s.entries(), seq + 1);
});

test("[M17] a deletion by form asks first and is one deletion however often it is sent", async () => {
	await using s = await scene();
	const seq = await s.say(s.ana, "regretted");
	const html = await (await s.get(at(seq, "delete"))).text();
	assert.match(html, /Delete this message\?[\s\S]*regretted[\s\S]*It disappears for everybody/);
	const form = formIn(html);
	assert.deepEqual(await s.stands(), ["regretted"], "looking changes nothing");
	for (let i = 0; i < 3; i++) {
		const answer = await s.send(at(seq, "delete"), form);
		assert.deepEqual([answer.status, answer.headers.get("location")], [302, `${room}?at=${seq}#m${seq}`]);
	}
	assert.deepEqual(await s.stands(), [null]);
	assert.equal(await s.entries(), seq + 1);
	// In another tab the question still stood: it is told, and asks no more.
	const late = await s.send(at(seq, "delete"), { clientId: randomUUID() });
	assert.equal(late.status, 409);
	const told = await late.text();
	assert.match(told, /role="alert"[^>]*>That message was deleted\./);
	assert.doesNotMatch(told, /<button type="submit"[^>]*button-grave/);
});

test("[M17] a reply by form quotes its message, is one however often it is sent, and leads to itself", async () => {
	await using s = await scene();
	const seq = await s.say(s.ben, "a question");
	const html = await (await s.get(at(seq, "reply"))).text();
	assert.match(html, /Replying to Ben[\s\S]*a question/);
	const form = { ...formIn(html), body: "an answer" };
	const answers = await Promise.all(Array.from({ length: 4 }, () => s.send(at(seq, "reply"), form)));
	for (const answer of answers) assert.deepEqual([answer.status, answer.headers.get("location")], [302, `${room}#m${seq + 1}`]);
	assert.deepEqual(await s.stands(), ["a question", "an answer > a question"]);
});

test("[M17][X4] bad input, another's message and one that is gone are refused with their status; what was typed stays", async () => {
	await using s = await scene();
	const [mine, theirs, gone] = [await s.say(s.ana, "mine"), await s.say(s.ben, "theirs"), await s.say(s.ana, "gone")];
	await s.charla.chat.messages.remove(s.ana.me, { roomId: lobbyId, clientId: randomUUID(), seq: gone });
	const before = await s.entries();
	const key = () => ({ clientId: randomUUID() });
	const typed = "typed <all> of it";
	const kept: [string, Record<string, string>, number, RegExp][] = [
		[at(mine, "edit"), { ...key(), body: `${typed}${"x".repeat(4000)}` }, 422, /longer than 4000 characters/],
		[at(mine, "reply"), { ...key(), body: `${typed}${"x".repeat(4000)}` }, 422, /longer than 4000 characters/],
		[at(mine, "edit"), { clientId: "1", body: typed }, 400, /could not read/],
		[at(theirs, "edit"), { ...key(), body: typed }, 403, /Only the person who wrote/],
		[at(gone, "edit"), { ...key(), body: typed }, 409, /was deleted/],
		[at(mine, "reply"), { ...key(), body: "/typed <all> of it" }, 422, /no command \/typed/],
	];
	for (const [path, fields, status, why] of kept) {
		const answer = await s.send(path, fields);
		const html = await answer.text();
		assert.equal(answer.status, status, `${path} ${html.slice(0, 200)}`);
		assert.match(html, why, path);
		assert.equal(formIn(html).body, fields.body, path);
		assert.notEqual(formIn(html).clientId, fields.clientId, "to be sent again it has a key of its own");
	}
	const refused: [string, Record<string, string>, number][] = [
		[at(mine, "edit"), { ...key(), body: "\u200b" }, 422],
		[at(mine, "edit"), key(), 400],
		[at(mine, "delete"), {}, 400],
		[at(theirs, "delete"), key(), 403],
		[at(999, "edit"), { ...key(), body: "x" }, 404],
		[at(999, "reply"), { ...key(), body: "x" }, 404],
		[at(999, "delete"), key(), 404],
		[at(mine, "forward"), key(), 404],
		[`${room}/messages/-1/edit`, { ...key(), body: "x" }, 404],
		[`${room}/messages/x/delete`, key(), 404],
	];
	for (const [path, fields, status] of refused)
		assert.equal((await s.send(path, fields)).status, status, `${path} ${JSON.stringify(fields)}`);
	// Whoever looks is told before anything is typed.
	for (const [path, status, why] of [
		[at(theirs, "edit"), 403, /Only the person who wrote/],
		[at(theirs, "delete"), 403, /Only the person who wrote/],
		[at(gone, "edit"), 409, /was deleted/],
		[at(gone, "reply"), 409, /was deleted/],
	] as const) {
		const answer = await s.get(path);
		const html = await answer.text();
		assert.equal(answer.status, status, path);
		assert.match(html, why, path);
		assert.doesNotMatch(html, /<textarea|<button type="submit"/, path);
	}
	assert.equal(await s.entries(), before);
	assert.deepEqual(await s.stands(), ["mine", "theirs", null]);
});

test("[M17][S7] a key under which another text was sent is refused, and the text goes out as new", async () => {
	await using s = await scene();
	const seq = await s.say(s.ana, "first");
	const form = formIn(await (await s.get(at(seq, "edit"))).text());
	assert.equal((await s.send(at(seq, "edit"), { ...form, body: "second" })).status, 302);
	const refused = await s.send(at(seq, "edit"), { ...form, body: "third" });
	assert.equal(refused.status, 409);
	const again = formIn(await refused.text());
	assert.equal(again.body, "third");
	assert.equal((await s.send(at(seq, "edit"), again as Record<string, string>)).status, 302);
	assert.deepEqual(await s.stands(), ["third*"]);
});

test("[M17][R4] to a stranger a message's pages answer as where there is no room; another site changes nothing", async () => {
	await using s = await scene();
	const closed = await s.charla.chat.rooms.create(s.ben.me, { name: "Closed", topic: "", kind: "private" });
	const seq = await say(s.charla.chat, s.ben.me, closed.id, "for us");
	for (const deed of ["reply", "edit", "delete"]) {
		const fields = { clientId: randomUUID(), body: "let me in" };
		const [there, nowhere] = [`/rooms/${closed.id}`, `/rooms/${randomUUID()}`].map((path) => `${path}/messages/${seq}/${deed}`);
		const plain = async (answer: Response) => [answer.status, /<main[\s\S]*?<p class="error-reference/.exec(await answer.text())?.[0]];
		for (const ask of [s.get, (path: string) => s.send(path, fields)]) {
			const [known, unknown] = [await plain(await ask(there as string)), await plain(await ask(nowhere as string))];
			assert.equal(known[0], 404);
			assert.ok(known[1]);
			assert.deepEqual(known, unknown);
		}
		const forged = await s.send(there as string, fields, { cookie: s.ben.cookie, origin: "https://evil.example" });
		assert.equal(forged.status, 403);
	}
	assert.deepEqual(
		(await everything(s.charla.chat, s.ben.me, closed.id)).map(({ body, editedAt }) => [body, editedAt]),
		[["for us", null]],
	);
});

test("[M17][X9] an edit whose session ended is answered by a page that holds it, and sends it again as one", async () => {
	await using s = await scene();
	const seq = await s.say(s.ana, "before");
	const { clientId } = formIn(await (await s.get(at(seq, "edit"))).text());
	const answer = await s.send(at(seq, "edit"), { clientId, body: "after" }, { cookie: "" });
	assert.equal(answer.status, 401);
	const html = await answer.text();
	assert.match(html, new RegExp(`<form method="post" action="${at(seq, "edit")}" class="form">`));
	assert.deepEqual(formIn(html), { clientId, body: "after" });
	const looked = await s.get(at(seq, "edit"), "");
	assert.deepEqual([looked.status, looked.headers.get("location")], [302, `/?next=${encodeURIComponent(at(seq, "edit"))}`]);
	for (let i = 0; i < 2; i++) assert.equal((await s.send(at(seq, "edit"), { clientId, body: "after" })).status, 302);
	assert.deepEqual(await s.stands(), ["after*"]);
});

test("[M17][S3] edits and deletions by form have the limit they have by socket, with Retry-After", async (t) => {
	holdClock(t);
	await using s = await scene({ RATE_LIMITS: "on" });
	const seq = await s.say(s.ana, "0");
	const answers = await Promise.all(
		Array.from({ length: 7 }, (_, i) => s.send(at(seq, "edit"), { clientId: randomUUID(), body: `${i + 1}` })),
	);
	const refused = answers.filter((answer) => answer.status === 429);
	assert.equal(refused.length, 2);
	for (const answer of refused) assert.equal(answer.headers.get("retry-after"), "1");
});
