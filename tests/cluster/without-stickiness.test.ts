import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, request } from "node:http";
import { lobbyId } from "../../app/contract/fixed.ts";
import { realTimers } from "../../app/live/browser-ports.ts";
import { fakeBrowser } from "../../app/live/fake-browser.ts";
import { createLive } from "../../app/live/open-live.ts";
import type { OpenWire, Timers } from "../../app/live/ports.ts";
import { socketAt } from "../../app/live/socket.ts";
import type { TestCharla } from "../support/charla.ts";
import { say, testInstances, until } from "../support/cluster.ts";
import { loadPage } from "../support/crash-person.ts";
import { withPrograms } from "../support/programs.ts";
import { type TestRedis, testRedis } from "../support/redis.ts";

const { test, before, after } = await withPrograms("redis-server");

let redis: TestRedis;
let cluster: Awaited<ReturnType<typeof testInstances>>;
let a: TestCharla;
let b: TestCharla;
const lines: string[] = [];

before(async () => {
	redis = await testRedis();
	const write = process.stdout.write.bind(process.stdout);
	process.stdout.write = ((chunk: unknown, ...rest: never[]) => {
		if (String(chunk).startsWith('{"ts"')) return lines.push(...String(chunk).trim().split("\n")) > 0;
		return write(chunk as string, ...rest);
	}) as typeof process.stdout.write;
	cluster = await testInstances(2, { REDIS_URL: redis.url, LOG_LEVEL: "info" });
	[a, b] = cluster.instances as [TestCharla, TestCharla];
});
after(async () => {
	await cluster[Symbol.asyncDispose]();
	await redis[Symbol.asyncDispose]();
});

/** A balancer that lets no websocket through and sends requests round, each visitor to one instance by a cookie where it is `sticky`. */
async function openProxy(given: { sticky: boolean }) {
	const targets = [a, b];
	const gone = new Set<number>();
	const statuses: number[] = [];
	let turn = 0;
	/** Where the last one was sent. */
	let last = 0;
	let cookie = "kept0";
	const server = createServer((asked, answered) => {
		const name = cookie;
		const named = given.sticky ? new RegExp(`\\b${name}=(\\d)`).exec(asked.headers.cookie ?? "")?.[1] : undefined;
		let at = named === undefined || gone.has(Number(named)) ? turn++ % targets.length : Number(named);
		if (gone.has(at)) at = turn++ % targets.length;
		last = at;
		const { hostname, port } = new URL((targets[at] as TestCharla).url);
		const { method, url: path, headers } = asked;
		const passedOn = request({ hostname, port, method, path, headers }, (answer) => {
			const status = answer.statusCode as number;
			statuses.push(status);
			const own = given.sticky ? [`${name}=${at}; Path=/`] : [];
			answered.writeHead(status, { ...answer.headers, "set-cookie": [...(answer.headers["set-cookie"] ?? []), ...own] });
			answer.pipe(answered);
		});
		passedOn.on("error", () => answered.destroy());
		answered.on("close", () => passedOn.destroy());
		asked.pipe(passedOn);
		server.on("lost", (lost: number) => lost === at && passedOn.destroy());
	});
	server.setMaxListeners(0);
	server.on("upgrade", (_request, socket) => socket.destroy());
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as { port: number };
	return {
		url: `http://127.0.0.1:${port}`,
		statuses,
		/** The visitor is not kept where they are any more, and is sent to the other one. */
		forget(): void {
			cookie = `${cookie}again`;
			turn = 1 - last;
		},
		/** The instance the visitor is kept at is out of reach. */
		lose(): void {
			gone.add(last);
			server.emit("lost", last);
		},
		async [Symbol.asyncDispose]() {
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}

/** The live part of a page behind a proxy, over a real socket; only the browser is in memory. */
async function openPage(name: string, url: string, timers: Timers, openWire: (wire: OpenWire) => OpenWire = (wire) => wire) {
	const { cookie } = await a.person(name);
	const page = await loadPage(a.url, cookie);
	const tab = fakeBrowser().tab(timers, openWire(socketAt(url, { cookie })));
	const live = createLive({ ...page, rooms: [page.opened.room], ports: { ...tab, uuid: randomUUID } });
	return {
		live,
		start: live.start,
		connection: () => live.getState().connection,
		bodies: () => (live.getState().open?.messages ?? []).map((message) => message.body),
	};
}

test("[W11] [C-15] sent round between instances, who polls is told that there is no connection, tries less and less often, and fills no log", async (t) => {
	await using proxy = await openProxy({ sticky: false });
	const waits: number[] = [];
	let isLosing = false;
	// What is waited for before the next attempt is noted, and over at once.
	const timers: Timers = {
		...realTimers,
		random: () => 0.5,
		after(ms, run) {
			if (isLosing) waits.push(ms);
			return realTimers.after(isLosing ? 0 : ms, run);
		},
	};
	const noting =
		<A extends unknown[]>(happened: (...args: A) => void) =>
		(...args: A) => {
			isLosing = true;
			happened(...args);
			isLosing = false;
		};
	const page = await openPage("Ana", proxy.url, timers, (wire) => (events) => {
		return wire({ ...events, disconnected: noting(events.disconnected), refused: noting(events.refused) });
	});
	const shown = new Set<string>();
	page.live.subscribe(() => void shown.add(page.connection().state));
	assert.ok(lines.length > 0, "the premise: lines of the log are seen");
	lines.length = 0;
	const stop = page.start();
	t.after(stop);
	const attempts = 9;
	await until(() => waits.length >= attempts, 120_000);
	stop();
	assert.deepEqual([...shown].sort(), ["connecting", "waiting"]);
	assert.ok(proxy.statuses.includes(400), "the premise: an instance was asked for another's session");
	assert.ok(proxy.statuses.length <= 4 * attempts, `${proxy.statuses.length} requests for ${attempts} attempts`);
	assert.deepEqual(
		waits.slice(0, attempts),
		waits.slice(0, attempts).sort((one, other) => one - other),
	);
	assert.ok((waits[attempts - 1] as number) > 5000, `after ${attempts} attempts ${waits[attempts - 1]} ms`);
	const ofThem = lines.filter((line) => /"event":"(?:http|socket|exception)\b/.test(line));
	assert.ok(ofThem.length < attempts, ofThem.join("\n"));
});

test("[W11] [C-15] kept at one instance polling works, and when the cookie or the instance is lost the page comes back once and misses nothing", async (t) => {
	await using proxy = await openProxy({ sticky: true });
	const page = await openPage("Ben", proxy.url, { ...realTimers, random: () => 0.5 });
	const bob = await b.connect((await a.person("Bob")).cookie);
	const said: string[] = [];
	/** Both say something, and both hear it. */
	const talk = async (about: string) => {
		for (const body of [`Bob, ${about}`, `Ben, ${about}`]) {
			said.push(body);
			if (body.startsWith("Bob")) await say(bob, body);
			else page.live.send(lobbyId, body, null);
			await until(() => page.bodies().at(-1) === body && page.live.getState().pending.length === 0);
		}
		assert.deepEqual(page.bodies(), said);
	};
	const isBack = (times: number) => until(() => page.connection().synced && page.connection().reconnects === times);

	t.after(page.start());
	await isBack(0);
	assert.equal(page.connection().transport, "polling");
	await talk("kept");
	proxy.forget();
	said.push("Bob, meanwhile");
	await say(bob, "Bob, meanwhile");
	await isBack(1);
	await talk("after the cookie was lost");
	proxy.lose();
	said.push("Bob, meanwhile again");
	await say(bob, "Bob, meanwhile again");
	await isBack(2);
	await talk("after the instance was lost");
	const failed = proxy.statuses.filter((status) => status >= 400);
	assert.ok(failed.length >= 1 && failed.length <= 6, `refused: ${failed}`);
	bob.raw.close();
});
