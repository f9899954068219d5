import assert from "node:assert/strict";
import { test } from "node:test";
import { testChat } from "../../tests/support/chat.ts";
import { freshDatabase } from "../../tests/support/database.ts";
import { asRefusal } from "../contract/refusals.ts";
import type { Person } from "../contract/shapes.ts";
import { openOwner } from "./owner.ts";

/** A fresh installation with three people in it. `admins` says who administers. */
async function installation() {
	const database = await freshDatabase();
	const { sql } = database;
	const t = await testChat({ sql });
	const people = [await t.person("Ana"), await t.person("Ben"), await t.person("Cleo")] as [Person, Person, Person];
	return {
		sql,
		people,
		owner: openOwner({ sql }),
		async admins(): Promise<string[]> {
			const rows = await sql.query<{ name: string }>("", "select display_name as name from app_user where is_admin order by 1");
			return rows.map((row) => row.name);
		},
		[Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
	};
}

const isSpent = (error: unknown) => asRefusal(error)?.code === "owner-link-spent";
const mint = async (owner: ReturnType<typeof openOwner>): Promise<string> => (await owner.ownerToken()) ?? assert.fail("no token");

test("the link makes one person administrator, and no second one", async () => {
	await using here = await installation();
	const { owner, people } = here;
	const [ana, ben] = people;
	const token = await mint(owner);
	assert.equal(await owner.isOwnerToken(token), true);
	assert.deepEqual(await here.admins(), [], "looking changes nothing");
	await owner.becomeOwner(ana, token);
	assert.deepEqual(await here.admins(), ["Ana"]);
	assert.equal(await owner.isOwnerToken(token), false);
	await assert.rejects(owner.becomeOwner(ben, token), isSpent);
	assert.deepEqual(await here.admins(), ["Ana"]);
	assert.equal(await owner.ownerToken(), null, "a start with an administrator makes no link");
});

test("the same request twice is one: who is administrator stays it", async () => {
	await using here = await installation();
	const [ana] = here.people;
	const token = await mint(here.owner);
	await here.owner.becomeOwner(ana, token);
	await here.owner.becomeOwner(ana, token);
	assert.deepEqual(await here.admins(), ["Ana"]);
});

test("of many at once exactly one gets it, over however many instances", async () => {
	await using here = await installation();
	const token = await mint(here.owner);
	const instances = [here.owner, openOwner({ sql: here.sql })];
	const claims = here.people.flatMap((person) => instances.map((owner) => owner.becomeOwner(person, token).then(() => person.name)));
	const results = await Promise.allSettled(claims);
	const winners = new Set(results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
	assert.deepEqual([...winners], await here.admins());
	assert.equal(winners.size, 1);
	for (const result of results) if (result.status === "rejected") assert.ok(isSpent(result.reason), String(result.reason));
});

test("a new start makes a new link, and the one before it opens nothing", async () => {
	await using here = await installation();
	const [ana] = here.people;
	const before = await mint(here.owner);
	const token = await mint(openOwner({ sql: here.sql }));
	assert.notEqual(before, token);
	assert.equal(await here.owner.isOwnerToken(before), false);
	await assert.rejects(here.owner.becomeOwner(ana, before), isSpent);
	assert.equal(await here.owner.isOwnerToken(token), true, "a wrong one does not spend it");
	await here.owner.becomeOwner(ana, token);
});

test("two starts at once leave one link that works", async () => {
	await using here = await installation();
	const tokens = await Promise.all(Array.from({ length: 8 }, () => mint(openOwner({ sql: here.sql }))));
	assert.equal(new Set(tokens).size, 8);
	const works = await Promise.all(tokens.map((token) => here.owner.isOwnerToken(token)));
	assert.equal(works.filter(Boolean).length, 1);
});

test("wrong, cut, lengthened and odd tokens make nobody administrator", async () => {
	await using here = await installation();
	const [ana] = here.people;
	const token = await mint(here.owner);
	const other = token.endsWith("A") ? "B" : "A";
	const near = [token.slice(0, -1), `${token}A`, `${token.slice(0, -1)}${other}`, token.toUpperCase(), ` ${token}`];
	for (const wrong of [...near, "", "%", "\u0000", "' or true --", "x".repeat(100_000)]) {
		assert.equal(await here.owner.isOwnerToken(wrong), false, wrong.slice(0, 50));
		await assert.rejects(here.owner.becomeOwner(ana, wrong), isSpent, wrong.slice(0, 50));
	}
	assert.deepEqual(await here.admins(), []);
	assert.equal(await here.owner.isOwnerToken(token), true);
});

test("a link older than a day is spent", async () => {
	await using here = await installation();
	const [ana] = here.people;
	const token = await mint(here.owner);
	const [row] = await here.sql.query<{ hours: number }>(
		"",
		"select round(extract(epoch from expires_at - now()) / 3600)::int as hours from owner_link",
	);
	assert.equal(row?.hours, 24);
	await here.sql.query("", "update owner_link set expires_at = now()");
	assert.equal(await here.owner.isOwnerToken(token), false);
	await assert.rejects(here.owner.becomeOwner(ana, token), isSpent);
	assert.deepEqual(await here.admins(), []);
});

test("the token has 256 random bits, is stored as its hash only, and is compared as one", async () => {
	await using here = await installation();
	const asked: unknown[][] = [];
	const query: typeof here.sql.query = (name, text, values) => {
		asked.push([...(values ?? [])]);
		return here.sql.query(name, text, values);
	};
	const owner = openOwner({ sql: { ...here.sql, query } });
	const token = await mint(owner);
	assert.match(token, /^[\w-]{43}$/);
	const [stored] = await here.sql.query<{ token_hash: Buffer; row: string }>(
		"",
		"select token_hash, owner_link::text as row from owner_link",
	);
	assert.equal(stored?.token_hash.length, 32);
	assert.ok(!stored.row.includes(token) && !stored.token_hash.equals(Buffer.from(token, "base64url")));
	// How long a comparison takes tells at most of hashes, from which nobody gets to a token: it never reaches the database.
	await owner.isOwnerToken(token);
	await owner.becomeOwner(here.people[0], token);
	assert.equal(asked.length, 3);
	for (const values of asked) {
		assert.ok(!values.includes(token));
		assert.ok(values.some((value) => Buffer.isBuffer(value) && value.equals(stored.token_hash)));
	}
});
