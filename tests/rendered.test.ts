import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { lobbyId } from "../app/contract/fixed.ts";
import { parseForm } from "../app/contract/parse.ts";
import { asRefusal } from "../app/contract/refusals.ts";
import { testCharla } from "./support/charla.ts";
import { assertHarmless, tagsOfPage } from "./support/harmless-html.ts";
import { xssCorpus } from "./support/xss-corpus.ts";

/** The answer of work, or null when it was refused. */
async function unlessRefused<T>(work: () => T | Promise<T>): Promise<T | null> {
	try {
		return await work();
	} catch (error) {
		if (!asRefusal(error)) throw error;
		return null;
	}
}

test("[X3] what reads pages in these tests sees what must not be there", () => {
	const page = (part: string) =>
		`<!DOCTYPE html><html lang="en"><title>x</title><script nonce="a">1 < 2</script><p class="x">${part}</p></html>`;
	assert.deepEqual(tagsOfPage(page("a &lt; b<!-- -->c"), ""), [
		"html lang",
		"title ",
		"/title ",
		"script nonce",
		"/script ",
		"p class",
		"/p ",
		"/html ",
	]);
	for (const bad of [
		"<img src=x>",
		'<img src="x:y" />',
		'<b onclick="x">',
		'<a href="javascript:alert(1)">',
		'<a href="java&#115;cript:x">',
		'<a href="//evil.example">',
		"<iframe>",
		'<meta http-equiv="refresh">',
		"<script>",
		'<script nonce="a"><!--</script>',
		"<textarea>",
		"<!-- x -->",
		"a < b",
	])
		assert.throws(() => tagsOfPage(page(bad), bad), assert.AssertionError, bad);
	assert.notDeepEqual(tagsOfPage(page("<b>x</b>"), ""), tagsOfPage(page("x"), ""), "a harmless tag too many is one too many");
});

test("[X3] of attacks as a person's name, a text, a room's name and its topic no page gets a tag, and the wire no HTML, that is not Charla's own", async () => {
	await using charla = await testCharla({ pages: true });
	const { chat } = charla;
	const page = async (path: string, cookie: string) => {
		const answer = await fetch(`${charla.url}${path}`, { headers: { cookie } });
		assert.equal(answer.status, 200, path);
		return answer.text();
	};
	const watcher = await charla.person("Watcher");
	const ears = await charla.connect(watcher.cookie);
	const count = { names: 0, rooms: 0, texts: 0 };
	/** Somebody whose name, only room, its topic and text are one attack, as far as Charla takes it. */
	const villain = async (attack: string, i: number) => {
		const named = await unlessRefused(() => chat.people.enter({ name: Array.from(attack).slice(0, 32).join("") }));
		const me = named ?? (await chat.people.enter({ name: `Villain ${i}` }));
		const cut = (length: number) => Array.from(attack).slice(0, length).join("");
		const form = await unlessRefused(() => parseForm("room:create", { name: cut(60), topic: cut(200), kind: "public" }));
		const room = await chat.rooms.create(me, form ?? { name: "Room", topic: "Topic", kind: "public" });
		if (named) count.names++;
		if (form) count.rooms++;
		const body = attack.startsWith("/") ? `/${attack}` : attack;
		const posted = await unlessRefused(() => chat.messages.post(me, { roomId: lobbyId, clientId: randomUUID(), body, replyTo: null }));
		if (posted) count.texts++;
		return { attack, cookie: await charla.session(me), path: `/rooms/${room.id}?panel=about` };
	};
	const plain = await villain("Plain words", -1);
	// What Markdown alone makes something of is nothing in a name; as texts all are rendered where Markdown is.
	const attacks = [...new Set(xssCorpus)].filter((attack) => /[<"']/.test(attack));
	const villains: Awaited<ReturnType<typeof villain>>[] = [];
	// A few at a time: a crowd of them waits for the database's connections, and on a busy machine for too long.
	for (let i = 0; i < attacks.length; i += 8)
		villains.push(...(await Promise.all(attacks.slice(i, i + 8).map((attack, j) => villain(attack, i + j)))));
	assert.ok(villains.length >= 100 && count.names >= 40 && count.rooms >= 100 && count.texts >= 100, JSON.stringify(count));

	// Rooms are listed by name, so their order is not the same.
	const tagsFor = async ({ attack, cookie, path }: Awaited<ReturnType<typeof villain>>) =>
		tagsOfPage(await page(path, cookie), attack).sort();
	const own = await tagsFor(plain);
	assert.ok(own.length > 100, "the premise: the page is read");
	for (const each of villains) assert.deepEqual(await tagsFor(each), own, each.attack);

	const paths = ["/people", "/rooms/browse", "/rooms", `/rooms/${lobbyId}`, `/rooms/${lobbyId}?panel=members`];
	const numbered = Array.from({ length: Math.ceil(villains.length / 50) }, (_, i) => `/rooms/${lobbyId}/pages/${i + 1}?size=50`);
	for (const path of [...paths, ...numbered, `/people?q=${encodeURIComponent(xssCorpus[0] as string)}`])
		tagsOfPage(await page(path, watcher.cookie), `all attacks, at ${path}`);

	const heard = () => ears.facts.flatMap((fact) => (fact.kind === "message-posted" ? [fact.message] : []));
	await ears.until(() => heard().length === count.texts);
	const marked = heard().filter((message) => message.html !== null);
	assert.ok(marked.length > 50, "the premise: the wire carries HTML");
	for (const { body, html } of marked) assertHarmless(html as string, body);
});
