import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf, testChat } from "../../../tests/support/chat.ts";
import { lobbyId } from "../../contract/fixed.ts";
import { limits } from "../../contract/limits.ts";
import { cleanName, skeletonOf } from "./index.ts";

test("[P1] a name is shown in one form: compatibility letters folded, spaces single", async () => {
	await using t = await testChat();
	const me = await t.person("  Ａｎａ \t  María  ");
	assert.equal(me.name, "Ana María");
	const [shown] = await t.chat.rooms.members(me, { roomId: lobbyId });
	assert.deepEqual(shown?.person, { id: me.id, name: "Ana María" });
});

test("[P1] a name of 32 characters fits, of 33 not, and emoji count as one character each", async () => {
	assert.equal(cleanName("x".repeat(limits.name)), "x".repeat(limits.name));
	assert.equal(cleanName(`a${"😀".repeat(31)}`).length, 63);
	for (const name of ["x".repeat(33), `a${"😀".repeat(32)}`, "ﷺ".repeat(20)])
		assert.throws(() => cleanName(name), { code: "name-too-long", details: { limit: 32 } });
});

test("[P1] a name without a letter or digit is empty", () => {
	for (const name of ["", "   ", "\u200b\u200d\ufeff", "\u2800", "\u3164\u115f", "...", "-_-", "😀", "´`"])
		assert.throws(() => cleanName(name), { code: "name-empty" }, JSON.stringify(name));
});

test("[P3] a name that hides or turns text, or piles marks up, is refused", () => {
	const names = {
		"right-to-left override": "Ana\u202egnp",
		"right-to-left mark": "Ana\u200f",
		isolate: "\u2066Ana",
		"zero width space": "A\u200bna",
		"zero width joiner": "A\u200dna",
		"soft hyphen": "A\u00adna",
		"word joiner": "Ana\u2060",
		tag: "Ana\u{e0041}",
		"byte order mark inside": "An\ufeffa".replace("\ufeff", "\u2064"),
		"hangul filler": "Ana\u3164",
		"braille blank": "Ana\u2800",
		NUL: "Ana\u0000",
		escape: "Ana\u001b[31m",
		"private use": "Ana\ue000",
		"lone surrogate": "Ana\ud800",
		Zalgo: "A\u0301\u0302\u0303\u0304na",
		"Zalgo on a composed letter": "\u00e1\u0302\u0303na",
	};
	for (const [what, name] of Object.entries(names)) assert.throws(() => cleanName(name), { code: "name-invalid" }, what);
});

test("[P3] names of the world's scripts are welcome", () => {
	for (const name of ["José", "Nguyễn Văn Ánh", "Дмитрий", "שָׁלוֹם", "محمد", "山田 太郎", "हिन्दी", "O'Brien", "Ana 2", "กำพล"])
		assert.ok(cleanName(name));
});

test("[P2] two names that look the same cannot both exist", async () => {
	await using t = await testChat();
	await t.person("Ana Paul");
	const alike = [
		"ana paul",
		"ANA PAUL",
		"Ａｎａ Ｐａｕｌ",
		"Аnа Pаul",
		"Ana  Paul",
		"Ána Päul",
		"AnaPaul",
		"Ana.Paul",
		"Ana-Paul",
		"Αna Ρaul",
		"Ana Pau1",
		"Ana PauI",
		"𝐀𝐧𝐚 𝐏𝐚𝐮𝐥",
	];
	for (const name of alike) assert.equal(await refusalOf(t.person(name)), "name-taken", name);
	await t.person("Ana Paula");
	assert.equal(skeletonOf("Modem"), skeletonOf("Modern".replace("rn", "m")));
	assert.equal(skeletonOf("corn"), skeletonOf("com"), "rn reads as m");
	assert.equal(skeletonOf("vvest"), skeletonOf("west"), "vv reads as w");
});

test("[P2] nobody takes the bot's name", async () => {
	await using t = await testChat();
	for (const name of ["Chuck", "CHUCK", "Сhuсk", "Ch uck"]) assert.equal(await refusalOf(t.person(name)), "name-taken");
});

test("[P2] of many people who ask for one name at once, one gets it", async () => {
	await using t = await testChat();
	const asked = await Promise.allSettled(["Zoe", "zoe", "Zoé", "ZOE", "Z0e", "zоe", "Zoe!", " Zoe "].map((name) => t.person(name)));
	assert.equal(asked.filter((a) => a.status === "fulfilled").length, 1);
	for (const a of asked) if (a.status === "rejected") assert.equal((a.reason as { code: string }).code, "name-taken");
	const [row] = await t.sql.query<{ n: number }>("", "select count(*) n from app_user where not is_bot");
	assert.equal(row?.n, 1);
});

test("[P6] people are found by a part of their name, accents and case aside; the asker and the bot are not", async () => {
	await using t = await testChat();
	const me = await t.person("Josefa");
	const jose = await t.person("José Luis");
	const ana = await t.person("Ana");
	const names = async (text: string) => (await t.chat.people.find(me, { text })).map((p) => p.name);
	assert.deepEqual(await names("jose"), [jose.name]);
	assert.deepEqual(await names("LUIS"), [jose.name]);
	assert.deepEqual(await names(""), [ana.name, jose.name]);
	assert.deepEqual(await names("chuck"), []);
});

test("[P6] a search or an invitation with wildcards, NUL or half characters finds nobody and breaks nothing", async () => {
	await using t = await testChat();
	const me = await t.person("Josefa");
	await t.person("Ana");
	for (const text of ["zz%", "zz\u0000", "x\ud800", "'; drop table app_user; --", "zz".repeat(5000)])
		assert.deepEqual(await t.chat.people.find(me, { text }), [], JSON.stringify(text.slice(0, 20)));
	for (const name of ["a\u0000b", "\ud800", "%", "_na", "", "n%a"])
		assert.equal(await refusalOf(t.chat.rooms.invite(me, { roomId: lobbyId, name })), "nobody-by-name", JSON.stringify(name));
	assert.equal((await t.chat.people.find(me, { text: "" })).length, 1, "the table still stands");
});

test("[P2] a taken name is refused with one that is free at that moment, within 32 characters", async () => {
	await using t = await testChat();
	const suggested = async (name: string) => {
		const error = (await t.person(name).then(
			() => assert.fail(name),
			(refused: unknown) => refused,
		)) as {
			code: string;
			details: { suggestion: string };
		};
		assert.equal(error.code, "name-taken");
		return error.details.suggestion;
	};
	await t.person("Ana");
	assert.equal(await suggested("ana"), "ana 2");
	await t.person("Ana 2");
	assert.equal(await suggested("Ana"), "Ana 3");
	const long = "x".repeat(limits.name);
	await t.person(long);
	assert.equal(await suggested(long), `${"x".repeat(limits.name - 2)} 2`);
	await t.person(await suggested(long));
	const family = `${"x".repeat(30)}👨`;
	await t.person(family);
	await t.person(await suggested(family));
	assert.equal(await suggested("Chuck"), "Chuck 2");
});

test("[P2] names that would pass for Charla itself or for everybody are refused, however they are written, and honest ones are not", async () => {
	await using t = await testChat();
	const reserved = [
		"admin",
		"ADMIN",
		"Adm1n",
		"аdmin",
		"Adrnin".replace("rn", "m"),
		"system",
		"Sistema",
		"here",
		"Room",
		"all",
		"AIl",
		"a l l",
		"todos",
	];
	for (const name of reserved) {
		const error = (await t.person(name).then(
			() => assert.fail(name),
			(refused: unknown) => refused,
		)) as {
			code: string;
			details: { suggestion: string };
		};
		assert.equal(error.code, "name-reserved", name);
		assert.ok(cleanName(error.details.suggestion));
	}
	for (const name of ["Ali", "Roomba", "Adam", "Allen", "Todor", "Анна", "李", "O'Higgins", "José María"])
		assert.equal((await t.person(name)).name, name);
});
