import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openSocket } from "../support/charla.ts";
import { enter, fixedPort, freshDataDir, startServer, untilReady } from "../support/crash-charla.ts";
import { freshDatabase } from "../support/database.ts";

test("[D6] told to move people, a server asks everybody to connect anew, and goes on serving who is there", async (t) => {
	await using database = await freshDatabase();
	const folder = freshDataDir();
	const port = await fixedPort();
	const url = `http://127.0.0.1:${port}`;
	const server = startServer({
		PORT: String(port),
		DATABASE_URL: database.url,
		DATA_DIR: folder.dataDir,
		DRAIN_SECONDS: "4",
		LOG_LEVEL: "info",
	});
	t.after(async () => {
		server.child.kill("SIGTERM");
		await server.ended;
		folder.remove();
	});
	await untilReady(url, server);
	const socket = openSocket(url, await enter(url, "Ana"));
	t.after(() => socket.raw.close());
	await socket.welcomed;
	server.child.kill("SIGUSR2");
	await socket.until(() => socket.signals.some((signal) => signal.kind === "move" && signal.within === 2000), 15_000);
	const answer = await socket.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: "still here", replyTo: null });
	assert.equal(answer.ok, true);
	assert.ok(server.said().includes('"service.moving"'));
	assert.equal((await fetch(`${url}/readyz`)).status, 200);
});
