import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { testCharla } from "../../tests/support/charla.ts";

/** Status and headers of an answer to a request that names its host by hand. */
function ask(url: string, path: string, headers: Record<string, string>) {
	return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
		const { hostname, port } = new URL(url);
		const sent = request({ hostname, port, path, headers }, (answer) => {
			let text = "";
			answer.setEncoding("utf8").on("data", (part) => {
				text += part;
			});
			answer.on("end", () => resolve({ status: answer.statusCode as number, headers: answer.headers, text }));
		});
		sent.on("error", reject).end();
	});
}

test("[X8] [C-16] a host that is none is refused, and what a client says of a proxy counts for nothing where there is none", async () => {
	await using charla = await testCharla({ pages: true });
	for (const host of ["x:99999", "x:y", "a b", "x/../y", "x@y", "[::1", "x:80:80"])
		assert.equal((await ask(charla.url, "/", { host })).status, 400, host);
	for (const host of ["x:8080", "10.0.1.23:3000", "chat.example.org", "[::1]:3000"])
		assert.equal((await ask(charla.url, "/", { host })).status, 200, host);
	assert.equal((await ask(charla.url, "/", { host: "x", "x-forwarded-host": "x:99999" })).status, 200);
	await using behind = await testCharla({ pages: true, env: { PROXY_HOPS: "1" } });
	assert.equal((await ask(behind.url, "/", { host: "x", "x-forwarded-host": "x:99999" })).status, 400);
});

test("[W3] [C-17] a missing file of the page is not found, and is kept by no cache", async () => {
	await using charla = await testCharla({ pages: true });
	const answer = await ask(charla.url, "/assets/x-OLDHASH.js", {});
	assert.deepEqual([answer.status, answer.headers["cache-control"]], [404, "no-store"]);
});
