import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import express from "express";
import { compressAssets } from "../../scripts/compress-assets.ts";
import { testCharla } from "../../tests/support/charla.ts";
import { builtAssets } from "./assets.server.ts";

type Answered = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** An answer as it came: `fetch` asks for compression by itself and undoes it. */
function ask(url: string, headers: Record<string, string>, method = "GET"): Promise<Answered> {
	return new Promise((resolve, reject) => {
		request(url, { method, headers }, async (answer) =>
			resolve({ status: answer.statusCode as number, headers: answer.headers, body: await buffer(answer) }),
		)
			.on("error", reject)
			.end();
	});
}

const decoded: Record<string, (bytes: Buffer) => Buffer> = { br: brotliDecompressSync, gzip: gunzipSync };

const script = `export const words = ${JSON.stringify("the same again ".repeat(500))};\n`;
const picture = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i * 31) % 251));

/** A small build, compressed by the build's own step, and a server of nothing but its files. */
async function servedBuild(t: TestContext) {
	const build = mkdtempSync(join(tmpdir(), "charla-build-"));
	const assets = join(build, "client/assets");
	mkdirSync(assets, { recursive: true });
	writeFileSync(join(assets, "room-1a2b.js"), script);
	writeFileSync(join(assets, "tiny-1a2b.js"), "1");
	writeFileSync(join(assets, "picture-1a2b.png"), picture);
	writeFileSync(join(build, "client/notes.txt"), "plain ".repeat(500));
	compressAssets(build);
	const app = express();
	for (const handler of builtAssets(build)) app.use(handler);
	app.use((_request, response) => void response.status(404).send("nothing"));
	const server = createServer(app);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	t.after(() => {
		server.close();
		rmSync(build, { recursive: true, force: true });
	});
	const { port } = server.address() as AddressInfo;
	return { build, get: (path: string, headers = {}, method = "GET") => ask(`http://127.0.0.1:${port}${path}`, headers, method) };
}

test("an asset comes in the best coding its asker takes, as what it is, for ever, and caches know by what it differs", async (t) => {
	const { get } = await servedBuild(t);
	const sizes: Record<string, number> = {};
	for (const [takes, coding] of [
		["gzip, deflate, br, zstd", "br"],
		["gzip", "gzip"],
		["br;q=0, *", "gzip"],
		["deflate", undefined],
		["identity", undefined],
		["", undefined],
		[null, undefined],
	] as const) {
		const { status, headers, body } = await get("/assets/room-1a2b.js", takes === null ? {} : { "accept-encoding": takes });
		assert.deepEqual([status, headers["content-encoding"]], [200, coding], `${takes}`);
		assert.match(headers["content-type"] ?? "", /^(text|application)\/javascript; charset=utf-8$/i, `${takes}`);
		assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
		assert.equal(headers.vary, "Accept-Encoding");
		assert.equal(Number(headers["content-length"]), body.length);
		assert.equal(String(coding ? decoded[coding]?.(body) : body), script);
		sizes[coding ?? "plain"] = body.length;
	}
	assert.ok(sizes.br! < sizes.gzip! && sizes.gzip! < sizes.plain!, JSON.stringify(sizes));
});

test("what gets no smaller, is compressed by itself or has no hash in its name comes as it is", async (t) => {
	const { build, get } = await servedBuild(t);
	assert.deepEqual(readdirSync(join(build, "compressed/br")), ["room-1a2b.js"]);
	assert.deepEqual(readdirSync(join(build, "client/assets")).sort(), ["picture-1a2b.png", "room-1a2b.js", "tiny-1a2b.js"]);
	for (const [path, type, bytes] of [
		["/assets/tiny-1a2b.js", /javascript/, Buffer.from("1")],
		["/assets/picture-1a2b.png", /^image\/png$/, picture],
		["/notes.txt", /^text\/plain/, Buffer.from("plain ".repeat(500))],
	] as const) {
		const { status, headers, body } = await get(path, { "accept-encoding": "br, gzip" });
		assert.deepEqual([status, headers["content-encoding"]], [200, undefined], path);
		assert.match(headers["content-type"] ?? "", type);
		assert.ok(body.equals(bytes), path);
	}
	const missing = await get("/assets/room-0000.js", { "accept-encoding": "br" });
	assert.deepEqual([missing.status, missing.headers["content-encoding"]], [404, undefined]);
});

test("HEAD, conditions and ranges are about the very bytes that are sent", async (t) => {
	const { get } = await servedBuild(t);
	const tags = new Set<string>();
	for (const takes of ["br", "gzip", "identity"]) {
		const whole = await get("/assets/room-1a2b.js", { "accept-encoding": takes });
		const etag = String(whole.headers.etag);
		tags.add(etag);

		const head = await get("/assets/room-1a2b.js", { "accept-encoding": takes }, "HEAD");
		assert.equal(head.body.length, 0);
		for (const name of ["content-encoding", "content-type", "content-length", "etag", "vary"])
			assert.equal(head.headers[name], whole.headers[name], `${name} of ${takes}`);

		const same = await get("/assets/room-1a2b.js", { "accept-encoding": takes, "if-none-match": etag });
		assert.deepEqual([same.status, same.body.length, same.headers.vary], [304, 0, "Accept-Encoding"]);

		const part = await get("/assets/room-1a2b.js", { "accept-encoding": takes, range: "bytes=5-14" });
		assert.deepEqual([part.status, part.headers["content-range"]], [206, `bytes 5-14/${whole.body.length}`]);
		assert.equal(part.headers["content-encoding"], whole.headers["content-encoding"]);
		assert.ok(part.body.equals(whole.body.subarray(5, 15)));

		const beyond = await get("/assets/room-1a2b.js", { "accept-encoding": takes, range: "bytes=999999-" });
		assert.deepEqual([beyond.status, beyond.headers["content-range"]], [416, `bytes */${whole.body.length}`]);
		assert.deepEqual([beyond.headers["content-encoding"], beyond.headers["cache-control"]], [undefined, "no-store"]);
		assert.match(String(beyond.body), /^[\w ]+\n$/, "words, not compressed");
	}
	assert.equal(tags.size, 3);
});

test("what the build made comes compressed, and unpacked it is what was built; the page itself does not", async () => {
	await using charla = await testCharla({ pages: true });
	const page = await ask(charla.url, { "accept-encoding": "gzip, deflate, br" });
	assert.deepEqual([page.status, page.headers["content-encoding"]], [200, undefined], "docs/decisions/053-compressed-assets.md");
	const assets = new Set(String(page.body).match(/\/assets\/[\w.$-]+\.(?:js|css)/g));
	assert.ok(assets.size > 5, `${assets.size} assets`);
	let [plain, sent] = [0, 0];
	for (const path of assets)
		for (const [coding, decode] of Object.entries(decoded)) {
			const answer = await ask(`${charla.url}${path}`, { "accept-encoding": coding });
			const file = new URL(`../../build/client${path}`, import.meta.url);
			assert.ok(existsSync(file), path);
			const built = readFileSync(file);
			assert.ok((answer.headers["content-encoding"] ? decode(answer.body) : answer.body).equals(built), `${path} in ${coding}`);
			assert.equal(answer.headers["x-content-type-options"], "nosniff");
			plain += built.length;
			sent += answer.body.length;
		}
	assert.ok(sent < plain / 2, `${sent} bytes of ${plain}`);
});
