import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express from "express";
import { openAddress, prefixOf } from "./address.server.ts";

/** What a request with these headers is taken for behind so many proxies, by us and by Express. */
async function takenFor(hops: number, headers: Record<string, string | string[]>): Promise<{ ours: string; express: string }> {
	const app = express().set("trust proxy", hops);
	const address = openAddress(hops);
	app.get("/", (req, res) => res.json({ ours: address(req), express: req.ip }));
	const server = createServer(app).listen(0, "127.0.0.1");
	await once(server, "listening");
	try {
		const asked = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", headers }).end();
		const [answer] = (await once(asked, "response")) as [NodeJS.ReadableStream];
		let text = "";
		for await (const part of answer) text += part;
		return JSON.parse(text);
	} finally {
		server.close();
		server.closeAllConnections();
	}
}

test("[I13] an address is the one the outermost of exactly the trusted hops saw; what a client claims beyond them counts for nothing", async () => {
	const claimed = "203.0.113.1, 203.0.113.2, 203.0.113.3";
	for (const [hops, expected] of [
		[0, "127.0.0.1"],
		[1, "203.0.113.3"],
		[2, "203.0.113.2"],
		[3, "203.0.113.1"],
	] as const) {
		const taken = await takenFor(hops, { "x-forwarded-for": claimed });
		assert.equal(taken.ours, expected, `${hops} hops`);
		assert.equal(taken.express, expected, `${hops} hops, as Express has it`);
	}
	// In lines of its own, with odd spaces and an empty entry: still read from the end.
	assert.equal((await takenFor(2, { "x-forwarded-for": ["203.0.113.1 ,", "203.0.113.2,  203.0.113.3"] })).ours, "203.0.113.2");
	// Fewer than there should be (somebody went around a proxy): the furthest there is, never nothing.
	assert.equal((await takenFor(3, { "x-forwarded-for": "203.0.113.3" })).ours, "203.0.113.3");
	assert.equal((await takenFor(2, {})).ours, "127.0.0.1");
});

test("[I13] an address is written down as its network only", () => {
	assert.deepEqual(["203.0.113.77", "::ffff:203.0.113.77", "2001:db8:12:34::5", "::1", "", undefined].map(prefixOf), [
		"203.0.113.0/24",
		"203.0.113.0/24",
		"2001:db8:12::/48",
		"::/48",
		"",
		"",
	]);
});
