import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { lobbyId } from "../app/contract/fixed.ts";
import { testCharla } from "./support/charla.ts";
import { everything } from "./support/chat.ts";
import { decode } from "./support/harmless-html.ts";
import { holdClock } from "./support/held-timers.ts";

/** Charla with its pages, and a browser without JavaScript: forms in, pages or redirects out. */
async function scene(env: Record<string, string> = {}) {
	const charla = await testCharla({ env, pages: true });
	const ana = await charla.person("Ana");
	const send = (path: string, fields: Record<string, string> | string, headers: Record<string, string> = {}) =>
		fetch(`${charla.url}${path}`, {
			method: "POST",
			redirect: "manual",
			headers: { cookie: ana.cookie, origin: charla.url, "content-type": "application/x-www-form-urlencoded", ...headers },
			body: typeof fields === "string" ? fields : new URLSearchParams(fields).toString(),
		});
	const get = (path: string, cookie = ana.cookie) => fetch(`${charla.url}${path}`, { redirect: "manual", headers: { cookie } });
	const stored = async () => (await everything(charla.chat, ana.me, lobbyId)).map((m) => m.body);
	return { charla, ana, send, get, stored, [Symbol.asyncDispose]: () => charla[Symbol.asyncDispose]() };
}
const room = `/rooms/${lobbyId}`;
const post = (body: string, more: Record<string, string> = {}) => ({ intent: "post", clientId: randomUUID(), body, ...more });

test("[P1] whoever gives a name enters by form, with a cookie, into the lobby", async () => {
	await using s = await scene();
	const answer = await s.send("/?index", { name: " Ben " }, { cookie: "" });
	assert.deepEqual([answer.status, answer.headers.get("location")], [302, room]);
	const [cookie] = answer.headers.getSetCookie();
	assert.match(cookie as string, /^sid=.+HttpOnly; SameSite=Lax/);
	assert.equal((await s.charla.auth.whoIs(cookie?.split(";")[0]))?.me.name, "Ben");
});

test("[P2] a name that cannot be is refused in words, with its status, and kept in the field", async () => {
	await using s = await scene();
	const names: [string, number][] = [
		["", 422],
		["\u200b", 422],
		["A\u202ena", 422],
		["x".repeat(33), 422],
		["x".repeat(5000), 422],
		["Аnа", 409],
		["ana", 409],
	];
	for (const [name, status] of names) {
		const answer = await s.send("/?index", { name }, { cookie: "" });
		assert.equal(answer.status, status, JSON.stringify(name.slice(0, 40)));
		assert.deepEqual(answer.headers.getSetCookie(), []);
	}
	assert.match(await (await s.send("/?index", { name: `<b>"${"x".repeat(40)}` }, { cookie: "" })).text(), /&lt;b&gt;&quot;xxx/);
});

test("[S1] a form sent twice is one message", async () => {
	await using s = await scene();
	const form = post("by form");
	const answers = await Promise.all(Array.from({ length: 6 }, () => s.send(room, form)));
	for (const answer of answers) assert.deepEqual([answer.status, answer.headers.get("location")], [302, `${room}#m2`]);
	assert.deepEqual(await s.stored(), ["by form"]);
});

test("[R2] the form for a room makes one, sent twice or after going back to it; changed, it makes another; refused, it keeps all", async () => {
	await using s = await scene();
	const opened = await s.get("/rooms/new");
	const address = opened.headers.get("location") as string;
	assert.deepEqual([opened.status, address.replace(/=.*/, "")], [302, "/rooms/new?key"]);
	const keyIn = (page: string) => /name="clientId" value="([^"]*)"/.exec(page)?.[1] as string;
	const [first, wentBack] = [await (await s.get(address)).text(), await (await s.get(address)).text()];
	const form = { clientId: keyIn(first), name: "Books", topic: "What we read", kind: "public" };
	assert.match(form.clientId, /^[0-9a-f-]{36}$/);
	assert.equal(keyIn(wentBack), form.clientId, "whoever goes back finds the form they sent");
	const answers = [...(await Promise.all([s.send(address, form), s.send(address, form)])), await s.send("/rooms/new", form)];
	const places = answers.map((answer) => [answer.status, answer.headers.get("location")]);
	const [, place] = places[0] as [number, string];
	assert.deepEqual(
		places,
		[1, 2, 3].map(() => [302, place]),
	);
	const changed = await s.send(address, { ...form, name: "Films" });
	const { clientId: _, ...before } = form;
	const unkeyed = await s.send("/rooms/new", before);
	const named = async () => (await s.charla.chat.rooms.mine(s.ana.me)).map((room) => room.name);
	assert.deepEqual([changed.status, unkeyed.status], [302, 302], "also from a page of the version before");
	assert.equal(new Set([place, changed.headers.get("location"), unkeyed.headers.get("location")]).size, 3);
	assert.deepEqual(await named(), ["Books", "Books", "Films", "Lobby"]);

	await s.charla.chat.rooms.leave(s.ana.me, { roomId: place.slice("/rooms/".length) });
	const refused = await s.send(address, form);
	const page = await refused.text();
	assert.equal(refused.status, 409);
	assert.match(page, /value="Books"/);
	assert.notEqual(keyIn(page), form.clientId);
	assert.equal((await s.send(address, { ...form, clientId: keyIn(page) })).status, 302, "sent again it goes out as new");
	assert.deepEqual(await named(), ["Books", "Books", "Films", "Lobby"]);
});

test("[X4] bad input by form is answered with its status, and nothing is stored", async () => {
	await using s = await scene();
	const forms: [string, string | Record<string, string>, number][] = [
		[room, post(""), 422],
		[room, post("\u200b"), 422],
		[room, post("x".repeat(4001)), 422],
		[room, post("a\0b"), 400],
		[room, post("x", { clientId: "1" }), 400],
		[room, post("x", { replyTo: "abc" }), 400],
		[room, post("x", { replyTo: "999" }), 404],
		[room, { intent: "post" }, 400],
		[room, { intent: "nope" }, 400],
		[room, { intent: "read" }, 400],
		[room, { intent: "read", seq: "-1" }, 400],
		[`/rooms/${randomUUID()}`, { intent: "read", seq: "1" }, 404],
		[room, {}, 400],
		[room, post("/nope"), 422],
		[`/rooms/${randomUUID()}`, post("x"), 404],
		["/rooms/1", post("x"), 400],
		["/rooms/new", { name: "", topic: "", kind: "public" }, 422],
		["/rooms/new", { name: "x", topic: "", kind: "direct" }, 400],
		["/rooms/new", { name: "x", topic: "", kind: "public", clientId: "1" }, 400],
		[room, { intent: "invite", name: "no\0body" }, 404],
		[room, { intent: "leave" }, 409],
		[room, { intent: "change", name: "Mine", topic: "" }, 403],
	];
	for (const [path, fields, status] of forms)
		assert.equal((await s.send(path, fields)).status, status, `${path} ${JSON.stringify(fields).slice(0, 120)}`);
	for (const [type, body] of [
		["application/json", '{"intent":'],
		["multipart/form-data; boundary=x", "--x\r\nbroken"],
		["multipart/form-data", "no boundary"],
		["text/plain", "intent=post"],
	] as const) {
		const answer = await s.send(room, body, { "content-type": type });
		assert.equal(answer.status, 400, type);
	}
	assert.deepEqual(await s.stored(), []);
	assert.equal((await s.get("/healthz")).status, 200);
});

test("[M1] a form stores 4,000 emoji, and SQL and paths as they were written", async () => {
	await using s = await scene();
	const bodies = ["😀".repeat(4000), "'; drop table room_log; --", "../../etc/passwd"];
	for (const body of bodies) assert.equal((await s.send(room, post(body))).status, 302);
	assert.deepEqual(await s.stored(), bodies);
});

test("[X1] a form of another site posts nothing", async () => {
	await using s = await scene();
	for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }] as Record<string, string>[])
		assert.equal((await s.send(room, post("forged"), headers)).status, 403);
	assert.deepEqual(await s.stored(), []);
	assert.equal((await s.send(room, post("own"))).status, 302);
});

test("[X2] without a session pages lead to the first screen, and forms post nothing", async () => {
	await using s = await scene();
	for (const cookie of ["", "sid=forged.forged", `${s.ana.cookie}x`]) {
		const page = await s.get(room, cookie);
		assert.deepEqual([page.status, page.headers.get("location")], [302, `/?next=${encodeURIComponent(room)}`]);
		assert.equal((await s.send(room, post("x"), { cookie })).status, 401);
	}
	assert.deepEqual(await s.stored(), []);
});

test("[X8] no address leads out of the pages, and ids that are none are not found", async () => {
	await using s = await scene();
	for (const path of [
		"/%2e%2e/%2e%2e/etc/passwd",
		"/..%2f..%2fpackage.json",
		"/assets/..%2f..%2f..%2fpackage.json",
		"/assets/%2e%2e/server/index.js",
		"/rooms/..%2f..%2fetc",
		"/rooms/1' or 1=1--",
		`${room}/pages/0`,
		`${room}/pages/-1`,
		`${room}/pages/1e9x`,
		"/rooms/%00",
		"/%ff",
	]) {
		const answer = await s.get(path);
		assert.ok(answer.status >= 400 && answer.status < 500, `${path} was answered with ${answer.status}`);
		assert.doesNotMatch(await answer.text(), /root:x:0|"devDependencies"/, path);
	}
	for (const q of ["%00", "%25", "%ff", "'", "x".repeat(3000)]) assert.equal((await s.get(`/people?q=${q}`)).status, 200, q);
	const next = await s.send("/?index&next=https%3A%2F%2Fevil.example", { name: "Ben" }, { cookie: "" });
	assert.equal(next.headers.get("location"), room, "nobody is sent to another site");
	const slashes = await s.send("/?index&next=%2F%2Fevil.example", { name: "Cleo" }, { cookie: "" });
	assert.doesNotMatch(slashes.headers.get("location") ?? "", /evil/);
});

test("[S3] forms have the same limits as the socket, with Retry-After; new guests are limited by address", async (t) => {
	holdClock(t);
	await using s = await scene({ RATE_LIMITS: "on" });
	const answers = await Promise.all(Array.from({ length: 14 }, (_, i) => s.send(room, post(`${i}`))));
	const refused = answers.filter((a) => a.status === 429);
	assert.equal(refused.length, 4);
	for (const answer of refused) assert.equal(answer.headers.get("retry-after"), "1");
	const fetched = await Promise.all(Array.from({ length: 6 }, () => s.send(`${room}.data`, post("by fetch"))));
	assert.ok(
		fetched.some((a) => a.headers.get("retry-after") === "1"),
		"what the page's own script asks is told too, once",
	);
	assert.equal((await s.stored()).filter((body) => body !== "by fetch").length, 14 - refused.length);
	const entered = await Promise.all(
		Array.from({ length: 66 }, (_, i) =>
			s.send("/?index", { name: `Guest ${String.fromCharCode(0x4e00 + i * 5)}` }, { cookie: "", "x-forwarded-for": `10.0.0.${i}` }),
		),
	);
	assert.equal(entered.filter((a) => a.status === 302).length, 60);
	for (const answer of entered.filter((a) => a.status !== 302))
		assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "60"]);
});

test("[M6] [C-12] whatever stands for a page's number leads to a page, or says so with the ways to the first and the last", async () => {
	await using s = await scene();
	for (let i = 1; i <= 13; i++)
		await s.charla.chat.messages.post(s.ana.me, { roomId: lobbyId, clientId: randomUUID(), body: `line ${i}`, replyTo: null });
	const pages = `${room}/pages`;
	const leads = async (path: string) => {
		const answer = await s.get(path);
		await answer.body?.cancel();
		return [answer.status, answer.headers.get("location")];
	};
	for (const number of ["0", "00", "-1", "+1", "1.5", "1e9", "0x1", "abc", "%20%202%20", "2&page=3", "2%00", "%D9%A3", "1'--"]) {
		const answer = await s.get(`${pages}/${number}`);
		assert.equal(answer.status, 404, number);
		const page = await answer.text();
		for (const way of [`${pages}/1`, pages]) assert.ok(page.includes(`href="${way}"`), `${number} leads to ${way}`);
	}
	const beyond = ["4", "2147483648", "9007199254740993", "9223372036854775807", "99999999999999999999", "9".repeat(400)];
	for (const number of ["", ...beyond]) assert.deepEqual(await leads(`${pages}/${number}`), [302, `${pages}/3`], number);
	assert.deepEqual(await leads(`${pages}/002`), [302, `${pages}/2`], "each page has one address");
	assert.match(await (await s.get(`${pages}/3`)).text(), /line 13</);
	for (const broken of ["%", "%E0%A4%A", "%C0%80"]) assert.equal((await leads(`${pages}/${broken}`))[0], 400, broken);
	const odd = ["0", "-1", "1.5", "1e400", "abc", "", "99999999999999999999", "%00", "2147483648"];
	for (const value of odd) {
		assert.deepEqual(await leads(`${pages}/2?size=${value}`), [200, null], `size ${value}`);
		assert.deepEqual(await leads(`${room}?at=${value}`), [200, null], `at ${value}`);
		const [status, location] = await leads(`${pages}/2?from=${value}&at=${value}&size=10`);
		assert.ok(status === 200 || (status === 302 && /\/pages\/\d+\?size=10/.test(String(location))), `from ${value}: ${location}`);
	}
});

test("[P6] [C-11] what is searched for literally is found, and nothing a person can type breaks the search", async () => {
	await using s = await scene();
	const names = [
		"TODO: Bea",
		"a & b",
		'"sin cerrar',
		"Hola!",
		"uno <-> dos",
		"50% más",
		"guion_bajo",
		"C++",
		"@ana maría",
		"https://x.example/a?b=c",
		"O' OR 1=1",
		"Bernardo",
	];
	for (const name of names) await s.charla.chat.people.enter({ name });
	const found = async (query: string) => {
		const answer = await s.get(`/people?${new URLSearchParams({ q: query })}`);
		assert.equal(answer.status, 200, query.slice(0, 40));
		const page = await answer.text();
		const list = [...page.matchAll(/<strong><bdi>([^<]*)<\/bdi><\/strong>/g)].map((match) => decode(match[1] as string));
		assert.equal(
			page.includes('<p class="quiet">Nobody by that name.'),
			list.length === 0,
			"either somebody, or the words that there is nobody",
		);
		return list;
	};
	const wanted: [query: string, names: string[]][] = [
		["TODO:", ["TODO: Bea"]],
		['"sin cerrar', ['"sin cerrar']],
		["!", ["Hola!"]],
		["<->", ["uno <-> dos"]],
		["50%", ["50% más"]],
		["_", ["guion_bajo"]],
		["c++", ["C++"]],
		["@ANA", ["@ana maría"]],
		["https://x.example/a?b=c", ["https://x.example/a?b=c"]],
		["' OR 1=1", ["O' OR 1=1"]],
		["Ber", ["Bernardo"]],
		["maria", ["@ana maría"]],
		["?!", []],
		["\\", []],
		["[a-z]+", []],
		["\ud800", []],
		["\0", []],
		["x".repeat(5000), []],
	];
	for (const [query, list] of wanted) assert.deepEqual(await found(query), list, query.slice(0, 40));
	// The eye takes in an "a" alone, which many have; who is written so comes first.
	assert.equal((await found("a & "))[0], "a & b");
	assert.equal((await found("   ")).length, names.length);
});

test("[M10] [C-10] a path, a comment and a doubled slash are messages by both doors; an unknown command stays with its writer whole", async () => {
	await using s = await scene();
	const socket = await s.charla.connect(s.ana.cookie);
	const by = [
		async (body: string) => {
			const answer = await socket.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body });
			return answer.ok ? "posted" : answer.code;
		},
		async (body: string) => {
			const answer = await s.send(room, post(body));
			const page = await answer.text();
			if (answer.status === 302) return "posted";
			assert.ok(page.includes(`>${body}</textarea>`), "what was typed is in the field again");
			return answer.status === 422 ? "unknown-command" : String(answer.status);
		},
	];
	for (const door of by) {
		const before = (await s.stored()).length;
		for (const body of ["/home/ana/.ssh/id usa esta ruta", "/* c */", "//literal", "/"]) assert.equal(await door(body), "posted", body);
		assert.equal(await door("/noexiste hola"), "unknown-command");
		assert.deepEqual((await s.stored()).slice(before), ["/home/ana/.ssh/id usa esta ruta", "/* c */", "/literal", "/"]);
	}
});

test("[M1] [C-02] what cannot be seen is refused by both doors and as a name; what only looks like nothing to code is shown", async () => {
	await using s = await scene();
	const socket = await s.charla.connect(s.ana.cookie);
	const say = (body: string) => socket.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body });
	for (const body of ["\u200b".repeat(15), "\u3164", "\u2800", "\u115f", "\u00ad", "\ufeff", "\u2060", "\u00a0", "\u202e", "\t\t"]) {
		const answer = await say(body);
		assert.equal(answer.ok || answer.code, "empty", JSON.stringify(body));
		assert.equal((await s.send(room, post(body))).status, 422, JSON.stringify(body));
		assert.equal((await s.send("/?index", { name: body }, { cookie: "" })).status, 422, JSON.stringify(body));
	}
	const seen = ["0", "false", ".", "\u2764\ufe0f", "\u{1f469}\u200d\u{1f4bb}"];
	for (const body of seen) {
		assert.equal((await say(body)).ok, true, body);
		assert.equal((await s.send(room, post(body))).status, 302, body);
	}
	assert.deepEqual(
		await s.stored(),
		seen.flatMap((body) => [body, body]),
	);
	const page = await (await s.get(`${room}/pages/1?size=10`)).text();
	for (const body of seen) assert.ok(page.includes(`>${body}<`), `${body} is on the page`);
});

test("[X4] [C-01] NUL is taken by no door, and what others write in the same moment is stored", async () => {
	await using s = await scene();
	const [ben, ana] = [await s.charla.person("Ben"), await s.charla.connect(s.ana.cookie)];
	const b = await s.charla.connect(ben.cookie);
	const kept = Array.from({ length: 40 }, (_, i) => `Ben ${i}`);
	const ask = (name: "message:post" | "message:edit", more: object) =>
		ana.call(name, { roomId: lobbyId, clientId: randomUUID(), body: "a\0b", ...more });
	const [written, bySocket, byForm] = await Promise.all([
		Promise.all(kept.map((body) => b.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body }))),
		Promise.all([
			ask("message:post", {}),
			ask("message:edit", { seq: 1 }),
			ask("message:post", { body: "x", roomId: `${lobbyId}\0` }),
			ask("message:post", { body: "x", clientId: "\0" }),
		]),
		Promise.all([
			s.send(room, post("a\0b")),
			s.send("/?index", { name: "ana\0" }, { cookie: "" }),
			s.send("/?index", { name: "\0" }, { cookie: "" }),
			s.send(room, { intent: "invite", name: "Ben\0\0" }),
			s.send("/people", { userId: `${ben.me.id}\0` }),
			s.send("/rooms/new", { name: "\0", topic: "", kind: "public" }),
		]),
	]);
	assert.ok(written.every((answer) => answer.ok));
	for (const answer of bySocket) assert.deepEqual(answer.ok || answer.code, "malformed");
	assert.deepEqual(
		byForm.map((answer) => answer.status),
		[400, 422, 422, 302, 400, 422],
	);
	assert.deepEqual(await s.stored(), kept);
	// One line of visible text is what it becomes where such a line is kept.
	const made = await s.send("/rooms/new", { name: "a\0b", topic: "c\0", kind: "public" });
	const id = made.headers.get("location")?.slice("/rooms/".length);
	const mine = (await s.charla.chat.rooms.mine(s.ana.me)).find((each) => each.id === id);
	assert.deepEqual([mine?.name, mine?.topic], ["a b", "c"]);
	for (const path of [`${room}%00`, `${room}/pages/1%00`, `/rooms/%00`, "/people?q=%00", "/owner/%00", `${room}/orders?before=%00`]) {
		const { status } = await s.get(path);
		assert.ok(status === 200 || status === 404, `${path}: ${status}`);
	}
	for (const body of ['{"items":["a\\u0000b"],"user":"me"}', '{"items":["123456"],"user":"a\\u0000b"}', '{"items":["a\0"],"user":"me"}']) {
		const answer = await fetch(`${s.charla.url}/api/cart`, { method: "POST", headers: { "content-type": "application/json" }, body });
		assert.ok(answer.status >= 400 && answer.status < 500, `${body}: ${answer.status}`);
	}
});
