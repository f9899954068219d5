import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openDoor, ownerOf, socketOf } from "./door.ts";

const owner = (url: string, cookie?: string) => ownerOf({ url, headers: { cookie } });

test("[I10] a socket's session belongs to the worker its id names, operators' pages to one, and everything else to anybody", () => {
	assert.equal(owner("/socket.io/?EIO=4&transport=polling&t=abc"), null);
	assert.equal(owner("/socket.io/?EIO=4&transport=polling&sid=aB-_9.3"), 3);
	assert.equal(owner("/socket.io/?sid=aB9.12&EIO=4&transport=websocket"), 12);
	assert.equal(owner("/socket.io/?EIO=4&sid=aB9"), null, "of a server that was alone");
	assert.equal(owner("/socket.io/?EIO=4&sid=../x.2"), null);
	assert.equal(owner("/rooms/1?sid=a.2"), null);
	assert.equal(owner("/ops"), 1);
	assert.equal(owner("/ops.data?_routes=x"), 1);
	assert.equal(owner("/ops/traces/1", "sid=x; ops-worker=2"), 2);
	assert.equal(owner("/ops?worker=3", "ops-worker=2"), 3);
	assert.equal(owner("/opsidian"), null);
});

test("[I10] an answer is passed on whole, also to who says that this connection ends and is still speaking", async (t) => {
	const folder = mkdtempSync(join(tmpdir(), "charla-door-"));
	const owner = createServer((incoming, response) => void response.end("ok", () => incoming.resume()));
	const door = openDoor({ http: createServer(), worker: { number: 1, count: 2, folder } });
	t.after(() => {
		owner.close();
		owner.closeAllConnections();
		door.close();
		rmSync(folder, { recursive: true });
	});
	owner.listen(socketOf(folder, 2));
	door.listen(0, "127.0.0.1");
	await Promise.all([once(owner, "listening"), once(door, "listening")]);
	const client = connect((door.address() as AddressInfo).port, "127.0.0.1");
	let said = "";
	client.setEncoding("utf8").on("data", (text: string) => {
		said += text;
	});
	client.on("error", () => undefined);
	const answered = once(owner, "request");
	client.write("POST /socket.io/?EIO=4&transport=polling&sid=a.2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab");
	const [{ headers }] = await answered;
	assert.equal(
		headers.connection,
		"keep-alive",
		"what is said of one connection is not said of the next: the owner would hang up while somebody still speaks",
	);
	// The owner has said all it had to say; the rest comes now.
	setTimeout(() => client.write("cd"), 100);
	await once(client, "close");
	assert.match(said, /^HTTP\/1\.1 200 OK\r\n/);
	assert.match(said, /ok(\r\n0\r\n\r\n)?$/);
	assert.match(said, /\r\nConnection: close\r\n/i);
});
