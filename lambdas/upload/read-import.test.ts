import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { ImportedRecord, Rejected } from "../../app/contract/imports.ts";
import { seeded } from "../../tests/support/chat.ts";
import { BadFile, readImport, type Whole } from "./index.ts";

async function* chunked(bytes: Uint8Array, size: () => number) {
	for (let i = 0; i < bytes.length; ) {
		const next = i + size();
		yield bytes.subarray(i, next);
		i = next;
	}
}

async function read(given: string | Uint8Array, name = "items.json", size = () => 64 * 1024) {
	const bytes = typeof given === "string" ? new TextEncoder().encode(given) : given;
	const records: { line: number; record: ImportedRecord }[] = [];
	const rejected: Rejected[] = [];
	const reading = readImport(chunked(bytes, size), name);
	for (;;) {
		const { value, done } = await reading.next();
		if (done) return { records, rejected, whole: value as Whole };
		records.push(...value.records);
		rejected.push(...value.rejected);
	}
}
const faultOf = (given: string | Uint8Array, name?: string): Promise<[string, number | null]> =>
	read(given, name).then(
		() => assert.fail(`was read: ${String(given).slice(0, 60)}`),
		(error: unknown) => {
			assert.ok(error instanceof BadFile, String(error));
			return [error.fault, error.line];
		},
	);

const catalogue = `{
  "kind": "catalogue",
  "version": 3,
  "exported": {"by": "somebody", "at": [1, 2]},
  "items": [
    {"id": "123456", "name": "Cuaderno", "price": 450, "currency": "EUR"},
    {"id": 789012, "name": "Lápiz \\"2B\\" {[,]}"},

    {"id": "345678", "name": "日本茶 🍵", "present": false},
    {"id": "123456", "name": "again"},
    {"name": "no id"},
    {"id": "../etc", "name": "x"},
    {"id": "1", "name": 5},
    {"id": "2", "name": "  "},
    {"id": "3", "name": "x", "price": 1.5, "currency": "EUR"},
    {"id": "4", "name": "x", "price": 100},
    {"id": "5", "name": "${"x".repeat(201)}"},
    "text", null, [1]
  ]
}
`;

test("[F1] a file is read record by record, each with its line; what is not right is a line with its field and reason", async () => {
	const { records, rejected, whole } = await read(catalogue);
	assert.deepEqual(
		records.map(({ line, record }) => [line, record.key, (record.value as { name: string }).name]),
		[
			[6, "123456", "Cuaderno"],
			[7, "789012", 'Lápiz "2B" {[,]}'],
			[9, "345678", "日本茶 🍵"],
		],
	);
	assert.deepEqual(records[0]?.record.value, { id: "123456", name: "Cuaderno", price: 450, currency: "EUR", present: true });
	assert.deepEqual(
		rejected.map(({ line, field, fault }) => `${line} ${field} ${fault}`),
		[
			"10 id duplicate",
			"11 id missing",
			"12 id malformed",
			"13 name wrong-type",
			"14 name empty",
			"15 price malformed",
			"16 currency missing",
			"17 name too-long",
			"18  wrong-type",
			"18  wrong-type",
			"18  wrong-type",
		],
	);
	assert.deepEqual([whole.header, whole.records, whole.sha256.length], [{ kind: "catalogue", version: 3, channel: null }, 14, 64]);
});

test("[F1] however the bytes are cut, the same comes out", async () => {
	const whole = await read(catalogue);
	assert.deepEqual(await read(catalogue, undefined, () => 1), whole);
	for (let seed = 1; seed <= 50; seed++) {
		const random = seeded(seed);
		assert.deepEqual(await read(catalogue, undefined, () => 1 + Math.floor(random() * 40)), whole);
	}
	assert.deepEqual((await read(catalogue.replaceAll("\n", "\r\n"))).rejected, whole.rejected, "Windows' line ends");
	assert.deepEqual((await read(`\ufeff${catalogue}`)).rejected, whole.rejected, "a mark at the beginning");
});

test("[F1] the kind stands in the file, or follows from its array or its name; people, rooms and channels as Slack writes them", async () => {
	const kindOf = async (text: string, name: string) => (await read(text, name)).whole.header;
	assert.equal((await kindOf('[{"id":"1","name":"x"}]', "catalogue-autumn.json")).kind, "catalogue");
	assert.equal((await kindOf('{"users":[{"name":"Ana"}]}', "export.json")).kind, "people");
	assert.equal((await kindOf('{"kind":"rooms","records":[{"name":"x"}]}', "y.json")).kind, "rooms");
	assert.deepEqual(await kindOf('[{"ts":"1700000000.000100","user":"U1","text":"hi"}]', "general/2026-11-25.json"), {
		kind: "channel",
		version: null,
		channel: "general",
	});
	assert.equal((await kindOf('[{"ts":"1700000000.000100","user":"U1","text":"hi"}]', "channel-lab.json")).channel, "lab");
	assert.equal(
		(await kindOf('{"channel":{"name":"ops"},"messages":[{"ts":"1700000000","user":"U1","text":"hi"}]}', "x.json")).channel,
		"ops",
	);

	const people = await read(
		'[{"id":"U1","name":"ana","profile":{"display_name":"","real_name":"Ana María"}},{"name":"ANA MARÍA"}]',
		"users.json",
	);
	assert.deepEqual(
		[people.records[0]?.record.value, people.rejected],
		[{ name: "Ana María" }, [{ line: 1, field: "name", fault: "duplicate" }]],
	);
	const rooms = await read('[{"name":"Lab","topic":{"value":"tests"},"is_private":true,"members":["Ana"]}]', "channels.json");
	assert.deepEqual(rooms.records[0]?.record.value, { name: "Lab", topic: "tests", kind: "private", members: ["Ana"] });
	const channel = await read(
		'[{"type":"message","ts":"1700000000.000200","thread_ts":"1700000000.000100","user":"U1","user_profile":{"real_name":"Ana"},"text":"so\\r\\nit is  "},{"ts":"x","text":"?"},{"ts":"1700000001.0","user":"U1","text":""}]',
		"channel-lab.json",
	);
	assert.deepEqual(channel.records[0]?.record.value, {
		ts: "1700000000.000200",
		at: 1_700_000_000_000,
		author: "Ana",
		text: "so\nit is",
		thread: "1700000000.000100",
	});
	assert.deepEqual(
		channel.rejected.map(({ field, fault }) => `${field} ${fault}`),
		["ts malformed", "text empty"],
	);
});

test("[F2] what spoils a whole file has a name and a line: cut off, zip, encoding, rubbish, nothing known, too much", async () => {
	const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('[{"id":"1"}]', "utf16le")]);
	const latin1 = Buffer.from('[{"id":"1",\n"name":"L\xe1piz"}]', "latin1");
	const cases: [what: string, given: string | Uint8Array, expected: [string, number | null], name?: string][] = [
		["nothing", "", ["empty", null]],
		["space", "  \n ", ["empty", null]],
		["no records", '{"kind":"catalogue"}', ["empty", null]],
		["an empty array", "[]", ["empty", null]],
		["a zip", Buffer.from("PK\u0003\u0004 and so on"), ["compressed", 1]],
		["gzip", gzipSync(catalogue), ["compressed", 1]],
		["UTF-16", utf16, ["wrong-encoding", 1]],
		["UTF-16 without a mark", utf16.subarray(2), ["wrong-encoding", 1]],
		["Latin-1", latin1, ["wrong-encoding", 1]],
		["cut in a record", catalogue.slice(0, 200), ["truncated", 7]],
		["cut between records", '[{"id":"1","name":"x"},\n', ["truncated", 2]],
		["cut in a character", new TextEncoder().encode(catalogue).subarray(0, catalogue.indexOf("L") + 2), ["wrong-encoding", 7]],
		["HTML", "<!doctype html>", ["not-json", 1]],
		["text", "hello", ["not-json", 1]],
		["a missing comma", '[\n{"id":"1","name":"x"}\n{"id":"2","name":"x"}]', ["not-json", 3]],
		["two commas", '[{"id":"1","name":"x"},\n,{"id":"2","name":"x"}]', ["not-json", 2]],
		["a comma at the end", '[{"id":"1","name":"x"},]', ["not-json", 1]],
		["an error within a record", '[\n{"id":"1",\n"name":x}]', ["not-json", 2]],
		["something after the end", '[{"id":"1","name":"x"}]\n{}', ["not-json", 2]],
		["a wrong bracket", '[{"id":"1","name":"x"}}', ["not-json", 1]],
		["comments", "// items\n[]", ["not-json", 1]],
		["NaN", '[{"id":"1","name":NaN}]', ["not-json", 1]],
		["nothing known", '[{"id":"1","name":"x"}]', ["unknown-kind", 1], "export.json"],
		["another kind", '{"kind":"secrets","items":[]}', ["unknown-kind", 1]],
		["an array of something else", '{"kind":"catalogue","people":[\n{"name":"x"}]}', ["unknown-field", 2]],
		["two arrays", '{"items":[{"id":"1","name":"x"}],\n"people":[{"name":"x"}]}', ["unknown-field", 2]],
		["a version that is none", '{"version":"two","items":[]}', ["bad-version", 1]],
		["a version too late", '{"items":[{"id":"1","name":"x"}],"version":2}', ["bad-version", 1]],
		["a channel without a name", '{"messages":[{"ts":"1700000000","text":"x"}]}', ["no-channel-name", 1], "export.json"],
		["a record without end", `[\n{"id":"${"1".repeat(300_000)}"}]`, ["record-too-large", 2]],
		["deep nesting", `[{"id":"1","name":"x","deep":${"[".repeat(200_000)}`, ["truncated", 1]],
	];
	for (const [what, given, expected, name] of cases) assert.deepEqual(await faultOf(given, name), expected, what);
});

test("[F2] no file of random bytes or random JSON does anything but be read or refused by name", async () => {
	const random = seeded(7);
	const alphabet = '{}[]",:\\ \n01aé\u0000x-';
	for (let i = 0; i < 3000; i++) {
		const text = Array.from({ length: Math.floor(random() * 60) }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
		await read(text).catch((error: unknown) => assert.ok(error instanceof BadFile, `${JSON.stringify(text)}: ${error}`));
		// And never a different answer than JSON's own.
		let isJson = true;
		try {
			JSON.parse(text);
		} catch {
			isJson = false;
		}
		const outcome = await read(text).then(
			() => "read",
			(error: BadFile) => error.fault as string,
		);
		if (!isJson) assert.notEqual(outcome, "read", text);
	}
});

test("[F3] a hundred megabytes stream through in constant memory", () => {
	const child = spawnSync(
		process.execPath,
		["--max-old-space-size=96", fileURLToPath(new URL("../../tests/support/large-import.ts", import.meta.url))],
		{
			encoding: "utf8",
		},
	);
	assert.equal(child.status, 0, child.stderr);
	const { bytes, records, rejected, grownMb } = JSON.parse(child.stdout);
	assert.ok(bytes >= 100 * 1024 * 1024);
	assert.deepEqual([records, rejected], [100_000, 100]);
	assert.ok(grownMb < 150, `grew by ${grownMb} MB`);
});
