import assert from "node:assert/strict";
import { test } from "node:test";
import { testChat } from "../../tests/support/chat.ts";
import { freshDatabase } from "../../tests/support/database.ts";
import { openAuth, readCookies } from "./index.server.ts";

const secret = "a secret of at least thirty-two characters";
const given = (set: string | undefined) => (set as string).split(";")[0] as string;

async function door(secure = false) {
	const database = await freshDatabase();
	const t = await testChat({ sql: database.sql });
	const auth = openAuth({ sql: database.sql, secret, secure });
	const ana = await t.person("Ana");
	return {
		auth,
		sql: database.sql,
		ana,
		signIn: async () => given((await auth.signIn(ana))[0]),
		[Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
	};
}

test("[X2] a session's cookie says who is asking, among other cookies too", async () => {
	await using d = await door();
	const cookie = await d.signIn();
	for (const header of [cookie, `a=b; ${cookie}`, `${cookie}; lang=es; theme=dark`, `;;x; =y;${cookie}`]) {
		assert.deepEqual((await d.auth.whoIs(header))?.me, d.ana);
	}
	assert.equal((await d.auth.whoIs(`${cookie}; lang=es`))?.language, "es");
	assert.equal((await d.auth.whoIs(`${cookie}; lang=xx`))?.language, null);
});

test("[X2] forged, tampered and stale cookies are nobody's, and most cost no query", async () => {
	await using d = await door();
	const cookie = await d.signIn();
	const [token, signature] = cookie.slice(4).split(".") as [string, string];
	const other = openAuth({ sql: d.sql, secret: "another secret of thirty-two characters", secure: false });
	let asked = 0;
	const counted: typeof d.sql.query = (...all) => {
		asked++;
		return d.sql.query(...all);
	};
	const counting = openAuth({ sql: { ...d.sql, query: counted }, secret, secure: false });
	const flipped = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
	const wrong = [
		undefined,
		null,
		"",
		"sid=",
		"sid=.",
		`sid=${token}`,
		`sid=${token}.`,
		`sid=.${signature}`,
		`sid=${flipped}.${signature}`,
		`sid=${token}.${signature.slice(0, -1)}`,
		`sid=${token}.${signature}x`,
		`sid=${token}.${"A".repeat(22)}`,
		`SID=${token}.${signature}`,
		`return=${token}.${signature}`,
		`__Host-sid=${token}.${signature}`,
		`sid=${"x".repeat(5000)}.${"y".repeat(5000)}`,
		"sid=%E0%A4%A.%",
		`sid=é.${"é".repeat(22)}`,
		"sid=' or 1=1--.x",
		given((await other.signIn(d.ana))[0]),
	];
	for (const header of wrong) assert.equal(await counting.whoIs(header), null, String(header).slice(0, 60));
	assert.equal(asked, 0);
	assert.deepEqual((await counting.whoIs(cookie))?.me, d.ana, "the premise: the true one is somebody's");
	await d.sql.query("", "update session set expires_at = now() - interval '1 second'");
	assert.equal(await d.auth.whoIs(cookie), null, "expired");
	await d.sql.query("", "update session set expires_at = now() - interval '61 days'");
	await d.auth.sweep();
	assert.deepEqual(await d.sql.query("", "select 1 from session"), []);
});

test("[X2] the database holds no token, only its hash", async () => {
	await using d = await door();
	const token = (await d.signIn()).slice(4).split(".")[0] as string;
	const [row] = await d.sql.query<{ hash: string; purpose: string }>(
		"",
		"select encode(token_hash, 'hex') || encode(token_hash, 'base64') hash, purpose from session",
	);
	assert.ok(!row?.hash.includes(token) && !row?.hash.includes(Buffer.from(token, "base64url").toString("hex")));
	assert.equal(Buffer.from(token, "base64url").length, 32);
});

test("[X2] cookies are out of scripts' reach, of this site, and bound to https where there is https", async () => {
	await using plain = await door();
	const [set] = await plain.auth.signIn(plain.ana);
	assert.match(set as string, /^sid=[\w-]+\.[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/);
	await using secure = await door(true);
	const [bound] = await secure.auth.signIn(secure.ana);
	assert.match(bound as string, /^__Host-sid=\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000; Secure$/);
	assert.equal(await secure.auth.whoIs(given(bound).replace("__Host-", "")), null, "a cookie without the prefix could have been planted");
});

test("[P5] leaving ends the session and lets the same browser come back once as the same person", async () => {
	await using d = await door();
	const cookie = await d.signIn();
	const session = await d.auth.whoIs(cookie);
	assert.ok(session);
	const [cleared, back] = await d.auth.leave(session);
	assert.match(cleared as string, /^sid=; .*Max-Age=0/);
	assert.equal(await d.auth.whoIs(cookie), null);
	const way = given(back);
	assert.deepEqual(await d.auth.returning(way), d.ana);
	assert.equal(await d.auth.whoIs(way.replace("return=", "sid=")), null, "the way back opens no session by itself");
	assert.equal(await d.auth.returning(cookie.replace("sid=", "return=")), null, "nor is a session a way back");
	const both = await Promise.all([d.auth.comeBack(way), d.auth.comeBack(way)]);
	assert.equal(both.filter(Boolean).length, 1, "of two at once, one comes in");
	const returned = both.find(Boolean);
	assert.deepEqual([returned?.me, (await d.auth.whoIs(given(returned?.cookies[0])))?.me], [d.ana, d.ana]);
	assert.equal(await d.auth.comeBack(way), null);
	assert.equal(await d.auth.returning(way), null);
});

test("[P5] from a session that ran out the same browser comes back once, for 60 days", async () => {
	await using d = await door();
	const cookie = await d.signIn();
	assert.equal(await d.auth.returning(cookie), null, "the premise: nobody comes back from a session that is open");
	await d.sql.query("", "update session set expires_at = now() - interval '59 days'");
	await d.auth.sweep();
	assert.equal(await d.auth.whoIs(cookie), null);
	assert.deepEqual(await d.auth.returning(cookie), d.ana);
	const back = await d.auth.comeBack(cookie);
	assert.deepEqual((await d.auth.whoIs(given(back?.cookies[0])))?.me, d.ana);
	assert.equal(await d.auth.comeBack(cookie), null, "it is spent");
	await d.sql.query("", "update session set expires_at = now() - interval '61 days'");
	assert.equal(await d.auth.returning(given(back?.cookies[0])), null);
});

test("[P5] one session's end leaves the others alone", async () => {
	await using d = await door();
	const [laptop, phone] = [await d.signIn(), await d.signIn()];
	const session = await d.auth.whoIs(laptop);
	await d.auth.leave(session as NonNullable<typeof session>);
	assert.equal(await d.auth.whoIs(laptop), null);
	assert.deepEqual((await d.auth.whoIs(phone))?.me, d.ana);
});

test("[P5] a session that is used is renewed, at most once a day", async () => {
	await using d = await door();
	const cookie = await d.signIn();
	const session = (await d.auth.whoIs(cookie)) as NonNullable<Awaited<ReturnType<typeof d.auth.whoIs>>>;
	assert.deepEqual(await d.auth.renew(session, cookie), []);
	await d.sql.query("", "update session set expires_at = now() + interval '5 days'");
	assert.equal(given((await d.auth.renew(session, cookie))[0]), cookie);
	const [row] = await d.sql.query<{ days: number }>("", "select extract(day from expires_at - now())::int days from session");
	assert.ok((row?.days as number) >= 29);
	assert.deepEqual(await d.auth.renew(session, cookie), []);
});

test("[X2] a header of cookies is read without surprises", () => {
	assert.deepEqual({ ...readCookies("a=1; b=%20x; a=2; bad=%E0%A4; c==; d") }, { a: "1", b: " x", bad: "%E0%A4", c: "=" });
	assert.deepEqual({ ...readCookies(undefined) }, {});
	assert.equal(readCookies("x=1").toString, undefined);
	assert.equal(readCookies("__proto__=1; hasOwnProperty=2").hasOwnProperty, "2");
});

test("[P5] a session's cookie lasts 30 days; what lets the browser come back is another one, there from the beginning", async () => {
	await using d = await door();
	const [sid, back] = await d.auth.signIn(d.ana);
	assert.match(sid as string, /^sid=.*Max-Age=2592000$/);
	assert.match(back as string, /^return=.*; HttpOnly; SameSite=Lax; Max-Age=7776000$/);
	await d.sql.query("", "update session set expires_at = now() - interval '1 second' where purpose = 'session'");
	assert.deepEqual(await d.auth.returning(given(back)), d.ana, "the session is over and its cookie gone");
	const both = `${given(sid)}; ${given(back)}`;
	const returned = await d.auth.comeBack(both);
	assert.deepEqual((await d.auth.whoIs(given(returned?.cookies[0])))?.me, d.ana);
	assert.equal(await d.auth.comeBack(both), null, "once, whichever cookie is shown again");
	assert.equal(await d.auth.whoIs(given(returned?.cookies[1]).replace("return=", "sid=")), null, "it opens nothing by itself");
});

test("[P5] a session says when it is due; renewing it renews the way back with it", async () => {
	await using d = await door();
	const cookie = await d.signIn();
	assert.equal((await d.auth.whoIs(cookie))?.isDue, false);
	await d.sql.query("", "update session set expires_at = expires_at - interval '2 days'");
	const session = (await d.auth.whoIs(cookie)) as NonNullable<Awaited<ReturnType<typeof d.auth.whoIs>>>;
	assert.equal(session.isDue, true);
	assert.deepEqual(
		(await d.auth.renew(session, cookie)).map((set) => set.replace(/=.*; Max-Age=/, " ")),
		["sid 2592000", "return 7776000"],
	);
	const days = await d.sql.query<{ days: number }>("", "select extract(day from expires_at - now())::int days from session order by 1");
	assert.deepEqual(
		days.map((row) => row.days),
		[29, 89],
	);
	assert.equal((await d.auth.whoIs(cookie))?.isDue, false);
});
