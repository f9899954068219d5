import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { lobbyId } from "../app/contract/fixed.ts";
import { testCharla } from "./support/charla.ts";
import { everything } from "./support/chat.ts";
import { decode } from "./support/harmless-html.ts";

const room = `/rooms/${lobbyId}`;

/** Charla with its pages, and a browser without JavaScript. */
async function scene() {
	const charla = await testCharla({ pages: true });
	const ana = await charla.person("Ana");
	const get = (path: string, cookie = ana.cookie) => fetch(`${charla.url}${path}`, { redirect: "manual", headers: { cookie } });
	const send = (path: string, fields: Record<string, string> | [string, string][], headers: Record<string, string> = {}) =>
		fetch(`${charla.url}${path}`, {
			method: "POST",
			redirect: "manual",
			headers: { cookie: ana.cookie, origin: charla.url, "content-type": "application/x-www-form-urlencoded", ...headers },
			body: new URLSearchParams(fields).toString(),
		});
	return { charla, ana, get, send, [Symbol.asyncDispose]: () => charla[Symbol.asyncDispose]() };
}

const text = 'Dear all,\nthis <b>took</b> me an "hour" & more.';

/** The fields of the form a page kept, as its browser would send them again. */
function keptFields(page: string): Record<string, string> {
	const form = /<form method="post" action="([^"]*)" class="form">([\s\S]*?)<\/form>/.exec(page);
	assert.ok(form, "no form in the page");
	const fields: Record<string, string> = { to: decode(form[1] as string) };
	for (const [, name, value] of (form[2] as string).matchAll(/<textarea[^>]*name="([^"]*)"[^>]*>([^<]*)<\/textarea>/g))
		fields[name as string] = decode(value as string).replace(/^\n/, "");
	for (const [, name, value] of (form[2] as string).matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g))
		fields[name as string] = decode(value as string);
	return fields;
}

test("[X9] a message posted after the session ended is answered by a page that holds it, and goes out once after entering again", async () => {
	await using s = await scene();
	const form = { intent: "post", clientId: randomUUID(), body: text };
	for (const language of ["en", "es"]) {
		const answer = await s.send(room, form, { cookie: "", "accept-language": language });
		assert.equal(answer.status, 401);
		const page = await answer.text();
		assert.match(page, language === "en" ? /not signed in any more/ : /sesión ya no está abierta/);
		const { to, ...fields } = keptFields(page);
		assert.deepEqual([to, fields], [room, form]);
	}
	const stored = async () => (await everything(s.charla.chat, s.ana.me, lobbyId)).map((message) => message.body);
	assert.deepEqual(await stored(), []);
	for (let i = 0; i < 2; i++) assert.equal((await s.send(room, form)).status, 302);
	assert.deepEqual(await stored(), [text]);
});

test("[X9] while the database is away every form is answered by a page that holds what was typed, and pages say so", async () => {
	await using s = await scene();
	const away = () => Promise.reject(Object.assign(new Error("away"), { code: "ECONNREFUSED" }));
	Object.assign(s.charla.auth, { whoIs: away });
	const forms: [string, Record<string, string>][] = [
		[room, { intent: "post", clientId: randomUUID(), body: text }],
		[room, { intent: "change", name: "A better name", topic: "with a topic" }],
		["/rooms/new", { name: "My room", topic: "for this", kind: "public" }],
	];
	for (const [path, fields] of forms) {
		const answer = await s.send(path, fields);
		assert.equal(answer.status, 503, path);
		assert.match(answer.headers.get("content-type") ?? "", /text\/html/);
		const { to, ...kept } = keptFields(await answer.text());
		assert.deepEqual([to, kept], [path, fields]);
	}
	for (const path of [room, `${room}/pages/1`, "/rooms", "/ops"]) {
		const answer = await s.get(path);
		assert.deepEqual([answer.status, answer.headers.get("content-type")?.split(";")[0]], [503, "text/html"], path);
	}
});

test("[M6] the lobby has an address of its own for its pages, its messages and itself", async () => {
	await using s = await scene();
	for (let i = 1; i <= 7; i++)
		await s.charla.chat.messages.post(s.ana.me, { roomId: lobbyId, clientId: randomUUID(), body: `line ${i}`, replyTo: null });
	const first = await s.get("/rooms/lobby/pages/1");
	assert.equal(first.status, 200);
	const html = await first.text();
	assert.deepEqual(
		[1, 5, 6].map((i) => html.includes(`line ${i}<`)),
		[true, true, false],
	);
	assert.match(html, /href="\/rooms\/lobby\/pages\/2"/);
	const leads = async (path: string) => {
		const answer = await s.get(path);
		return [answer.status, answer.headers.get("location")];
	};
	assert.deepEqual(await leads("/rooms/lobby/pages"), [302, "/rooms/lobby/pages/2"]);
	assert.deepEqual(await leads("/rooms/lobby/pages/9"), [302, "/rooms/lobby/pages/2"]);
	assert.deepEqual(await leads("/rooms/lobby"), [302, room]);
	assert.deepEqual(await leads("/rooms/lobby?at=2"), [302, `${room}?at=2`]);
	assert.deepEqual(await leads("/rooms/lobby/messages/2"), [302, `${room}?at=2#m2`]);
	const posted = await s.send("/rooms/lobby", { intent: "post", clientId: randomUUID(), body: "by name" });
	assert.deepEqual([posted.status, posted.headers.get("location")], [302, `${room}#m9`]);
});

test("[P2] the first screen offers a free name, and its button comes in with it where no script runs", async () => {
	await using s = await scene();
	const refused = await s.send("/?index", { name: "Ana" }, { cookie: "" });
	assert.equal(refused.status, 409);
	const page = await refused.text();
	const button = /<button type="submit"[^>]*name="name" value="([^"]*)"/.exec(page);
	assert.equal(button?.[1], "Ana 2");
	const entered = await s.send(
		"/?index",
		[
			["name", "Ana"],
			["name", "Ana 2"],
		],
		{ cookie: "" },
	);
	assert.deepEqual([entered.status, entered.headers.get("location")], [302, room]);
	const cookie = entered.headers.getSetCookie()[0]?.split(";")[0];
	assert.equal((await s.charla.auth.whoIs(cookie))?.me.name, "Ana 2");
});

test("[P5] looking at a numbered page renews a session that is a day old, and the cookies with it", async () => {
	await using s = await scene();
	const page = `${room}/pages/1`;
	assert.deepEqual((await s.get(page)).headers.getSetCookie(), []);
	await s.charla.storage.sql.query("", "update session set expires_at = expires_at - interval '2 days'");
	const set = (await s.get(page)).headers.getSetCookie();
	assert.deepEqual(
		set.map((cookie) => /^(\w+)=.*Max-Age=(\d+)/.exec(cookie)?.slice(1)),
		[
			["sid", "2592000"],
			["return", "7776000"],
		],
	);
	assert.deepEqual((await s.get(page)).headers.getSetCookie(), []);
});

test("[S3] forms that change rooms have a rate, and say when to go on", async () => {
	await using charla = await testCharla({ pages: true, env: { RATE_LIMITS: "on" } });
	const ana = await charla.person("Ana");
	const ben = await charla.person("Ben");
	const answers = await Promise.all(
		Array.from({ length: 30 }, () =>
			fetch(`${charla.url}/people`, {
				method: "POST",
				redirect: "manual",
				headers: { cookie: ana.cookie, origin: charla.url, "content-type": "application/x-www-form-urlencoded" },
				body: `userId=${ben.me.id}`,
			}),
		),
	);
	const refused = answers.filter((answer) => answer.status === 429);
	assert.ok(refused.length >= 1, "a flood of conversations");
	for (const answer of refused) assert.equal(answer.headers.get("retry-after"), "1");
	assert.ok(answers.filter((answer) => answer.status === 302).length >= 20);
});
