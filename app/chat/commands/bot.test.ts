import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { everything, type TestChat, testChat } from "../../../tests/support/chat.ts";
import { botId, lobbyId } from "../../contract/fixed.ts";
import type { Language } from "../../contract/language.ts";
import type { Message, Person } from "../../contract/shapes.ts";
import { callsBot } from "./bot.ts";
import { bundledFacts } from "./bundled-facts.ts";
import { openFacts } from "./index.ts";

/** A stand-in for the public API, counting how often it is asked. */
async function factApi(answer: RequestListener) {
	let asked = 0;
	const server = createServer((request, response) => {
		asked++;
		answer(request, response);
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	return {
		url: `http://127.0.0.1:${(server.address() as { port: number }).port}/jokes/random`,
		asked: () => asked,
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}

const json =
	(value: unknown): RequestListener =>
	(_request, response) =>
		void response.setHeader("content-type", "application/json").end(JSON.stringify(value));

async function ask(t: TestChat, me: Person, body: string, language: Language = "en"): Promise<number> {
	const posted = await t.chat.messages.post(me, { roomId: lobbyId, clientId: randomUUID(), body, replyTo: null }, language);
	return posted.seq as number;
}

/** The bot's answers once there are `count` of them. */
async function answers(t: TestChat, me: Person, count: number): Promise<Message[]> {
	for (const end = Date.now() + 30_000; ; await sleep(10)) {
		const found = (await everything(t.chat, me, lobbyId)).filter((m) => m.author.id === botId);
		if (found.length >= count) return found;
		if (Date.now() > end) throw new Error(`${found.length} answers instead of ${count}`);
	}
}

test("[M11] the bot is called by its word on its own or by /fact, and by nothing else", () => {
	for (const body of ["chucknorris", "ChuckNorris!", "who is chucknorris?", "¿chucknorris?", "a\nCHUCKNORRIS\nb", "/fact", "/FACT please"])
		assert.ok(callsBot(body), body);
	for (const body of ["chuck norris", "chucknorrisfan", "xchucknorris", "chucknorris_", "ñchucknorris", "/facts", "a /fact"])
		assert.ok(!callsBot(body), body);
});

test("[M11] the bot answers once, as a reply, what the API says; the person's own text stays", async () => {
	await using api = await factApi(json({ value: "He <b>counted</b> to infinity." }));
	await using t = await testChat({ factUrl: api.url });
	const ana = await t.person("Ana");
	const first = await ask(t, ana, "tell me, chucknorris");
	const second = await ask(t, ana, "/fact");
	const found = await answers(t, ana, 2);
	assert.deepEqual(found.map((m) => m.replyTo?.seq).sort(), [first, second].sort());
	assert.deepEqual(found[0]?.author, { id: botId, name: "Chuck", bot: true });
	assert.equal(found[0]?.body, "He <b>counted</b> to infinity.");
	assert.equal(found[0]?.html, null, "it is text: the page shows it as such");
	assert.equal((await everything(t.chat, ana, lobbyId))[0]?.body, "tell me, chucknorris");
	assert.equal(api.asked(), 2);
});

test("[M11] a message sent again, fifty times at once, has one answer", async () => {
	await using api = await factApi(json({ value: "Once." }));
	await using t = await testChat({ factUrl: api.url });
	const ana = await t.person("Ana");
	const input = { roomId: lobbyId, clientId: randomUUID(), body: "chucknorris", replyTo: null };
	await Promise.all(Array.from({ length: 50 }, () => t.chat.messages.post(ana, input)));
	await answers(t, ana, 1);
	await t.chat.messages.post(ana, input);
	await sleep(150);
	assert.equal((await answers(t, ana, 1)).length, 1);
});

test("[M11] the bot's own words call nobody", async () => {
	await using api = await factApi(json({ value: "chucknorris calls chucknorris" }));
	await using t = await testChat({ factUrl: api.url });
	const ana = await t.person("Ana");
	await ask(t, ana, "chucknorris");
	await answers(t, ana, 1);
	await sleep(150);
	assert.equal(api.asked(), 1);
	assert.equal((await answers(t, ana, 1)).length, 1);
});

test("[M11] a slow API delays no post, and after 2 s the bundle answers", async (test) => {
	const given = Promise.withResolvers<number>();
	const late = new AbortController();
	test.mock.method(AbortSignal, "timeout", (after: number) => {
		given.resolve(after);
		return late.signal;
	});
	await using api = await factApi(() => undefined);
	await using t = await testChat({ factUrl: api.url });
	const ana = await t.person("Ana");
	// Posted while the API has its time, which does not end by itself here.
	await ask(t, ana, "chucknorris");
	assert.equal(await given.promise, 2000);
	late.abort();
	const [answer] = await answers(t, ana, 1);
	assert.equal(answer?.body, bundledFacts.en[0]);
});

test("[M11] after failures the API is left alone, and the bot answers all the same", async () => {
	await using api = await factApi((_request, response) => void response.writeHead(500).end());
	await using t = await testChat({ factUrl: api.url });
	const ana = await t.person("Ana");
	for (let i = 0; i < 12; i++) {
		await ask(t, ana, "/fact");
		await answers(t, ana, i + 1);
	}
	assert.ok(api.asked() >= 3, "the premise: it was asked at first");
	assert.ok(api.asked() <= 4, `asked ${api.asked()} times while it was failing`);
	for (const { body } of await answers(t, ana, 12)) assert.equal(body, bundledFacts.en[0]);
});

test("[M11] what is not the API's answer is not repeated", async () => {
	const wrong: RequestListener[] = [
		(_q, r) => void r.end("<html>captive portal</html>"),
		json({ joke: "elsewhere" }),
		json({ value: 7 }),
		json({ value: "" }),
		json({ value: "x".repeat(1001) }),
		(_q, r) => void r.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
		(q) => void q.socket.destroy(),
	];
	for (const answer of wrong) {
		await using api = await factApi(answer);
		const fact = await openFacts(api.url, () => 0)("en");
		assert.deepEqual(fact, { text: bundledFacts.en[0], source: "bundled" });
		assert.equal(api.asked(), 1);
	}
});

test("[M11] offline, or told never to ask, the bundle answers; Spanish is answered in Spanish", async () => {
	assert.equal((await openFacts("http://127.0.0.1:1/", () => 0.999)("en")).text, bundledFacts.en.at(-1));
	assert.equal((await openFacts(null, () => 0)("en")).source, "bundled");
	await using api = await factApi(json({ value: "English only" }));
	await using t = await testChat({ factUrl: api.url });
	const ana = await t.person("Ana");
	await ask(t, ana, "chucknorris", "es");
	assert.equal((await answers(t, ana, 1))[0]?.body, bundledFacts.es[0]);
	assert.equal(api.asked(), 0);
});

test("[M11] [C-09] what stands in code calls nobody", () => {
	for (const body of [
		"`chucknorris`",
		"say ``a ` chucknorris`` once",
		"```\nchucknorris\n```",
		"~~~js\nchucknorris()\n~~~",
		"look:\n```\nchucknorris",
	])
		assert.equal(callsBot(body), false, body);
	for (const body of ["chucknorris", "a ` chucknorris", "`code` and chucknorris", "```\nx\n```\nchucknorris", "a `b`\n\nchucknorris `c`"])
		assert.equal(callsBot(body), true, body);
	assert.ok(callsBot(`${"`a".repeat(1900)} chucknorris`) !== undefined);
});

test("[M11] [X4] a source of facts that sends what cannot be stored is not asked twice: the bundle answers, and neighbours are stored", async () => {
	for (const value of ["a\u0000b", "half \ud83d", "   ", "x".repeat(1001)]) {
		const source = createServer((_request, response) =>
			response.setHeader("content-type", "application/json").end(JSON.stringify({ value })),
		);
		await new Promise<void>((done) => source.listen(0, "127.0.0.1", done));
		try {
			const ask = openFacts(`http://127.0.0.1:${(source.address() as { port: number }).port}/`, () => 0);
			assert.equal((await ask("en")).source, "bundled", JSON.stringify(value).slice(0, 30));
		} finally {
			source.closeAllConnections();
			await new Promise((done) => source.close(done));
		}
	}
});
