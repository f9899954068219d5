import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { folderInbox } from "../../../lambdas/upload/inbox-folder.ts";
import { faultOf, readImport } from "../../../lambdas/upload/index.ts";
import { everything, refusalOf, say } from "../../../tests/support/chat.ts";
import { freshDatabase } from "../../../tests/support/database.ts";
import { opsRoomId } from "../../contract/fixed.ts";
import type { Import, ImportState } from "../../contract/imports.ts";
import type { Person } from "../../contract/shapes.ts";
import { openSqlStore } from "../../shop/index.server.ts";
import type { Sql } from "../../storage/sql.ts";
import { type News, openChat, openFacts, uuidv7 } from "../index.server.ts";
import type { Catalogue, ImportFiles } from "./index.ts";

const item = (id: number, name: string, price = 100) => ({ id: String(id), name, price, currency: "EUR" });
const catalogue = (version: number, items: object[]) => JSON.stringify({ kind: "catalogue", version, items }, null, 1);

/** The desk over a folder of its own, with an administrator; `more` swaps a part of it. */
async function openDesk(
	more: { catalogue?: (sql: Sql) => Catalogue; files?: (files: ImportFiles) => ImportFiles; sql?: (sql: Sql) => Sql } = {},
) {
	const database = await freshDatabase();
	const folder = mkdtempSync(join(tmpdir(), "charla-imports-"));
	const inbox = folderInbox(folder);
	await inbox.prepare();
	const news: News[] = [];
	const warned: string[] = [];
	const told: string[] = [];
	const sql = more.sql?.(database.sql) ?? database.sql;
	const open = () =>
		openChat({
			sql,
			publish: (told) => void news.push(told),
			ids: uuidv7,
			askFact: openFacts(null),
			desk: {} as never,
			log: {
				warn: (event, fields) => void warned.push(`${event} ${JSON.stringify(fields)}`),
				info: (event, fields) => void told.push(`${event} ${JSON.stringify(fields)}`),
			},
			importing: {
				core: { readImport, faultOf },
				files: more.files?.(inbox) ?? inbox,
				catalogue: more.catalogue ?? openSqlStore,
				every: 50,
			},
		});
	const chat = open();
	const imports = chat.imports as NonNullable<typeof chat.imports>;
	const ana = await chat.people.enter({ name: "Ana" });
	await database.sql.query("", "update app_user set is_admin = true where id = $1", [ana.id]);
	const bring = async (text: string | Uint8Array, name = "catalogue.json"): Promise<string> => {
		const file = await inbox.receive(
			name,
			(async function* () {
				yield typeof text === "string" ? Buffer.from(text) : text;
			})(),
		);
		await imports.arrived(file);
		return file.id;
	};
	const until = async (id: string, ...states: ImportState[]): Promise<Import> => {
		for (const end = Date.now() + 20_000; ; ) {
			const found = await imports.one(id);
			const [row] = await database.sql.query<{ told: string | null }>("", "select told from import_job where id = $1", [id]);
			if (states.includes(found.state) && row?.told === found.state) return found;
			assert.ok(Date.now() < end, `${found.state}, not ${states}: ${warned.join("\n")}`);
			await new Promise((done) => setTimeout(done, 20));
		}
	};
	return {
		chat,
		imports,
		inbox,
		folder,
		ana,
		news,
		warned,
		told,
		sql: database.sql,
		bring,
		until,
		/** Brings it and says yes. */
		async bringIn(text: string, name?: string): Promise<Import> {
			const id = await bring(text, name);
			await until(id, "ready");
			await imports.confirm(ana, id);
			return until(id, "applied");
		},
		items: () => database.sql.query<{ id: string; name: string }>("", "select id, name from shop_item order by id"),
		said: async (who: Person) => (await everything(chat, who, opsRoomId)).map((message) => message.body),
		async [Symbol.asyncDispose]() {
			await imports.stop();
			await database[Symbol.asyncDispose]();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
const counts = ({ report }: Import) => report && [report.added, report.changed, report.unchanged, report.rejected];

test("[F4] a file is reported to administrators before anything comes in, and comes in on their yes; the report follows", async () => {
	await using t = await openDesk();
	const ben = await t.chat.people.enter({ name: "Ben" });
	const id = await t.bring(catalogue(1, [item(1, "One"), item(2, "Two"), { id: "3" }]));
	const found = await t.until(id, "ready");
	assert.deepEqual(counts(found), [2, 0, 0, 1]);
	assert.deepEqual(found.report?.examples, ["1 One", "2 Two"]);
	assert.deepEqual(await t.items(), [], "nothing is in");
	const [report] = await t.said(t.ana);
	assert.match(report ?? "", /\*\*catalogue\.json\*\* brings a catalogue, version 1: 2 new, 0 changed, 0 as before, 1 rejected/);
	assert.match(report ?? "", /- line 17: name is missing/);
	assert.equal(await refusalOf(t.chat.messages.stretch(ben, { roomId: opsRoomId })), "not-found", "only they hear of it");

	await t.imports.confirm(t.ana, id);
	await t.imports.confirm(t.ana, id);
	const done = await t.until(id, "applied");
	assert.deepEqual([done.decidedBy, counts(done)], ["Ana", [2, 0, 0, 1]]);
	assert.deepEqual(
		(await t.items()).map((each) => each.name),
		["One", "Two"],
	);
	assert.match((await t.said(t.ana))[0] ?? "", /is in: 2 new.*By Ana/);
	assert.equal((await t.said(t.ana)).length, 1, "the report itself says how it went");
	assert.equal(await refusalOf(t.imports.cancel(t.ana, id)), "import-decided");
	assert.equal(await refusalOf(t.imports.confirm(t.ana, uuidv7())), "import-not-found");
	assert.deepEqual(readdirSync(join(t.folder, "imports")), [], "the file is not needed any more");
});

test("[F5] the same file again is nothing new; another of the same version, or of an older one, is refused", async () => {
	await using t = await openDesk();
	const first = catalogue(2, [item(1, "One")]);
	await t.bringIn(first);
	const again = await t.until(await t.bring(first), "cancelled");
	assert.deepEqual([again.decidedBy, counts(again)], [null, [0, 0, 1, 0]]);
	assert.equal((await t.said(t.ana)).length, 1, "nobody is told twice");
	const other = await t.until(await t.bring(catalogue(2, [item(1, "Uno")])), "refused");
	assert.equal(other.fault?.code, "version-taken");
	assert.equal((await t.until(await t.bring(catalogue(1, [item(1, "Uno")])), "refused")).fault?.code, "older-version");
	const next = await t.bringIn(catalogue(3, [item(1, "Uno"), item(2, "Two")]));
	assert.deepEqual(counts(next), [1, 1, 0, 0]);
	const two = [await t.bring(catalogue(4, [item(9, "Nine")])), await t.bring(catalogue(4, [item(9, "Nine")]))];
	const states = await Promise.all(two.map((id) => t.until(id, "ready", "cancelled")));
	assert.deepEqual(states.map((each) => each.state).sort(), ["cancelled", "ready"], "and while the first waits");
});

test("[F5] turned down, nothing comes in; and the same file may be brought again", async () => {
	await using t = await openDesk();
	const text = catalogue(1, [item(1, "One")]);
	const id = await t.bring(text);
	await t.until(id, "ready");
	await t.imports.cancel(t.ana, id);
	await t.until(id, "cancelled");
	assert.deepEqual(await t.items(), []);
	assert.match((await t.said(t.ana))[0] ?? "", /turned down by Ana/);
	assert.equal(await refusalOf(t.imports.confirm(t.ana, id)), "import-decided");
	await t.bringIn(text);
	assert.equal((await t.items()).length, 1);
});

test("[F2] a bad file goes into quarantine with its reason beside it, and administrators are told what to do", async () => {
	await using t = await openDesk();
	for (const [name, bytes, reason, said] of [
		["catalogue.json", Buffer.from("PK\u0003\u0004"), "compressed (line 1)", /Unpack it first/],
		["items-cut.json", Buffer.from('[{"id":"1","name":"x"},\n'), "truncated (line 2)", /ends too early/],
		["what [is](x) *this*.json", Buffer.from("[{}]"), "unknown-kind (line 1)", /does not say what it brings/],
	] as const) {
		const id = await t.bring(bytes, name);
		await t.until(id, "refused");
		const kept = readdirSync(join(t.folder, "quarantine")).filter((file) => file.startsWith(id.slice(0, 8)));
		assert.equal(kept.length, 2);
		const [file, why] = kept.sort() as [string, string];
		assert.deepEqual(readFileSync(join(t.folder, "quarantine", file)), bytes);
		assert.equal(readFileSync(join(t.folder, "quarantine", why), "utf8"), `${reason}\n`);
		assert.match((await t.said(t.ana)).at(-1) ?? "", said);
		assert.equal(await refusalOf(t.imports.confirm(t.ana, id)), "import-decided");
	}
	const last = (await everything(t.chat, t.ana, opsRoomId)).at(-1);
	assert.ok(!last?.html?.includes("<a"), "a file's name is no markup");
});

test("[F6] a file may come slowly without the database giving up on it", async () => {
	const limits = new Set<string | undefined>();
	await using t = await openDesk({
		catalogue: (sql) => {
			const store = openSqlStore(sql);
			const look = async () => {
				const [found] = await sql.query<{ limit: string }>("", "select current_setting('idle_in_transaction_session_timeout') as limit");
				limits.add(found?.limit);
			};
			return {
				find: (ids) => look().then(() => store.find(ids)),
				put: (items) => look().then(() => store.put(items)),
			};
		},
	});
	const id = await t.bring(catalogue(1, [item(1, "Item 1")]));
	await t.until(id, "ready");
	await t.imports.confirm(t.ana, id);
	await t.until(id, "applied");
	assert.deepEqual([...limits], ["1min"]);
});

test("[F6] what fails half-way leaves nothing behind and is done again whole: a broken database, an instance that ended", async () => {
	let isBroken = false;
	await using t = await openDesk({
		catalogue: (sql) => {
			const store = openSqlStore(sql);
			return {
				find: store.find,
				async put(items) {
					await store.put(items);
					if (isBroken && items.some((each) => each.id === "1200")) throw Object.assign(new Error("gone"), { code: "08006" });
				},
			};
		},
	});
	const many = Array.from({ length: 1600 }, (_, i) => item(i + 1, `Item ${i + 1}`));
	const id = await t.bring(catalogue(1, many));
	await t.until(id, "ready");
	isBroken = true;
	await t.imports.confirm(t.ana, id);
	for (const end = Date.now() + 20_000; t.warned.length < 2; ) {
		assert.ok(Date.now() < end);
		await new Promise((done) => setTimeout(done, 20));
		assert.deepEqual(await t.items(), [], "all or nothing");
	}
	assert.ok(t.warned[0]?.startsWith("import.failed ") && t.warned[0].includes("gone"), t.warned[0]);
	assert.equal((await t.imports.one(id)).state, "applying");
	isBroken = false;
	assert.deepEqual(counts(await t.until(id, "applied")), [1600, 0, 0, 0]);
	assert.ok(
		t.told.some((line) => line.startsWith("import.applied ") && line.includes('"records":1600')),
		t.told.join("\n"),
	);
	assert.equal((await t.items()).length, 1600);
});

test("[F6] a file that changes or goes between the report and the yes brings nothing in", async () => {
	await using t = await openDesk();
	const id = await t.bring(catalogue(1, [item(1, "One")]));
	await t.until(id, "ready");
	writeFileSync(join(t.folder, "imports", `${id}.json`), catalogue(1, [item(1, "Another")]));
	await t.imports.confirm(t.ana, id);
	assert.equal((await t.until(id, "refused")).fault?.code, "unreadable");
	assert.deepEqual(await t.items(), []);
	const gone = await t.bring(catalogue(2, [item(1, "One")]));
	await t.until(gone, "ready");
	rmSync(join(t.folder, "imports", `${gone}.json`));
	await t.imports.confirm(t.ana, gone);
	assert.equal((await t.until(gone, "refused")).fault?.code, "unreadable");
});

test("[F7] people, rooms and a channel come in as themselves: names that look alike are one person, history keeps its times and replies", async () => {
	await using t = await openDesk();
	const people = await t.bringIn(
		JSON.stringify({ kind: "people", people: [{ name: "Bruno" }, { name: "ana" }, { name: "Chuck" }, { name: "\u202eevil" }] }),
		"p.json",
	);
	assert.deepEqual(counts(people), [1, 0, 1, 2]);
	const bruno = (await t.chat.people.find(t.ana, { text: "bruno" }))[0] as Person;
	assert.ok(bruno);

	const rooms = JSON.stringify({
		kind: "rooms",
		rooms: [
			{ name: "Lab", topic: "Tests", kind: "public", members: ["Bruno", "Nobody"] },
			{ name: "Board", kind: "private" },
			{ name: "Lobby", kind: "private" },
		],
	});
	const brought = await t.bringIn(rooms, "r.json");
	assert.deepEqual(counts(brought), [2, 0, 0, 1]);
	const lab = (await t.chat.rooms.mine(bruno)).find((room) => room.name === "Lab");
	assert.deepEqual([lab?.topic, lab?.kind], ["Tests", "public"]);
	assert.ok(
		(await t.chat.rooms.mine(t.ana)).some((room) => room.name === "Board" && room.role === "owner"),
		"whoever said yes owns it",
	);
	assert.ok(!(await t.chat.rooms.browse(bruno)).some((room) => room.name === "Board"));
	assert.ok(t.news.some((told) => "fact" in told && told.fact.kind === "member-joined" && told.fact.person.id === bruno.id));

	const message = (ts: string, real_name: string, text: string, thread_ts?: string) => ({
		type: "message",
		ts,
		user: "U1",
		user_profile: { real_name },
		text,
		thread_ts,
	});
	const messages = [
		message("1700000000.000100", "Bruno", "who has the key?", "1700000000.000100"),
		message("1700000060.000100", "Zoë", "here &amp; there", "1700000000.000100"),
		{ type: "message", ts: "1700000100.000100", user: "U2", text: "" },
	];
	const channel = await t.bringIn(JSON.stringify(messages), "channel-garage.json");
	assert.deepEqual(counts(channel), [2, 0, 0, 1]);
	const garage = (await t.chat.rooms.mine(t.ana)).find((room) => room.name === "garage");
	assert.deepEqual([garage?.kind, garage?.role, (garage?.lastMsg ?? 0) - (garage?.readMsg ?? 0)], ["private", "owner", 0]);
	const all = await everything(t.chat, t.ana, garage?.id as string);
	assert.deepEqual(
		all.map((each) => [each.author.name, each.createdAt, each.replyTo?.seq ?? null]),
		[
			["Bruno", 1_700_000_000_000, null],
			["Zoë", 1_700_000_060_000, all[0]?.seq],
		],
	);
	const more = await t.bringIn(
		JSON.stringify([...messages, message("1700000200.0", "Bruno", "found it", "1700000000.000100")]),
		"channel-garage.json",
	);
	assert.deepEqual(counts(more), [1, 0, 2, 1], "a longer export adds what is new");
	await say(t.chat, t.ana, garage?.id as string, "and it goes on");
	assert.deepEqual(
		(await everything(t.chat, t.ana, garage?.id as string)).map((each) => each.msgNo),
		[1, 2, 3, 4],
	);
});

test("[F8] a file put into the watched folder is taken once it is whole, once however many watch, also from a folder of Slack's", async () => {
	await using t = await openDesk();
	const files: string[] = [];
	const watchers = [1, 2].map(() =>
		t.inbox.watch(async (file) => {
			files.push(file.name);
			await t.imports.arrived(file);
		}, assert.ifError),
	);
	const put = (name: string, text: string, age: number) => {
		const file = join(t.inbox.inbox, name);
		mkdirSync(join(file, ".."), { recursive: true });
		writeFileSync(file, text);
		utimesSync(file, Date.now() / 1000 - age, Date.now() / 1000 - age);
		return file;
	};
	const growing = put("items-growing.json", "[", 0);
	put("items-whole.json", catalogue(1, [item(1, "One")]), 10);
	put(".hidden.json", "x", 10);
	put("general/2026-11-25.json", JSON.stringify([{ ts: "1700000000.1", username: "Bruno", text: "hi" }]), 10);
	await Promise.all(watchers.map((watcher) => watcher.look()));
	assert.deepEqual(files.sort(), ["general/2026-11-25.json", "items-whole.json"]);
	assert.ok(existsSync(growing), "what is still being written stays");
	const [one, two] = await t.imports.list();
	for (const each of [one, two]) await t.until(each?.id as string, "ready");
	assert.deepEqual((await t.imports.list()).map((each) => each.kind).sort(), ["catalogue", "channel"]);
	await Promise.all(watchers.map((watcher) => watcher.stop()));
});
