import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type TestContext, test } from "node:test";
import { openBalancer } from "../../scripts/rehearse/balancer.ts";
import { readTargetGroup, type TargetGroup } from "../../scripts/rehearse/target-group.ts";
import { holdTimers } from "../support/held-timers.ts";

const small = JSON.parse(readFileSync(new URL("./target-group.json", import.meta.url), "utf8"));

/** Targets on addresses of the loopback, on one port, as the target group has it. */
async function targets(t: TestContext, count: number, more: Partial<TargetGroup> = {}) {
	const servers: Server[] = [];
	const well = new Map<string, boolean>();
	let port = 0;
	for (let n = 2; n < 2 + count; n++) {
		const address = `127.0.0.${n}`;
		well.set(address, true);
		const server = createServer((request, response) => {
			const status = request.url === "/healthz" && !well.get(address) ? 500 : 200;
			if (request.url === "/polls") response.setHeader("set-cookie", "polls=1; Path=/");
			response.writeHead(status).end(`${address} for ${request.headers["x-forwarded-for"]}`);
		});
		server.on("upgrade", (_request, socket) => {
			socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n${address}\n`);
			socket.pipe(socket).on("error", () => {});
		});
		await new Promise<void>((done) => server.listen(port, address, done));
		port = (server.address() as AddressInfo).port;
		servers.push(server);
	}
	const group: TargetGroup = { ...readTargetGroup(small), port, ...more };
	const balancer = await openBalancer(group, { host: "127.0.0.1", tempo: 100 });
	t.after(async () => {
		await balancer.close();
		for (const server of servers) {
			server.closeAllConnections();
			server.close();
		}
	});
	for (const address of well.keys()) {
		balancer.register(address);
		await balancer.until(address, "healthy", 60_000);
	}
	/** As when its process is killed: nobody listens there any more. */
	const kill = async (address: string) => {
		const server = servers[[...well.keys()].indexOf(address)];
		server?.closeAllConnections();
		await new Promise((done) => server?.close(done));
	};
	return { balancer, well, addresses: [...well.keys()], kill };
}

/** An upgraded connection: who answered, and when it ended. */
async function upgraded(url: string) {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname);
	socket.write("GET /socket HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n");
	let text = "";
	const target = await new Promise<string>((resolve) =>
		socket.on("data", (chunk) => {
			text += chunk;
			const found = /\r\n\r\n(.*)\n/.exec(text)?.[1];
			if (found) resolve(found);
		}),
	);
	const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
	return { target, closed, socket };
}

/** How an upgrade is answered, in its first line. */
async function upgradeAnswer(url: string): Promise<string> {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname);
	socket.write("GET /socket HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n");
	let text = "";
	for await (const chunk of socket) {
		text += chunk;
		if (text.includes("\r\n")) break;
	}
	return text.split("\r\n")[0] as string;
}

async function ask(url: string, cookie = "") {
	const answer = await fetch(url, { headers: { cookie, "x-forwarded-for": "192.0.2.1" } });
	return {
		status: answer.status,
		text: await answer.text(),
		cookie: answer.headers
			.getSetCookie()
			.map((one) => one.split(";")[0])
			.join("; "),
	};
}

test("requests go round the targets, say whom they are for, and stick by the cookie", async (t) => {
	const { balancer, addresses } = await targets(t, 2);
	const answers = await Promise.all(Array.from({ length: 24 }, () => ask(balancer.url)));
	assert.deepEqual([...new Set(answers.map(({ text }) => text.split(" ")[0]))].sort(), addresses);
	assert.ok(answers.every(({ text }) => text.endsWith("for 192.0.2.1, 127.0.0.1")));
	const [{ cookie, text } = { cookie: "", text: "" }] = answers;
	for (let n = 0; n < 5; n++) assert.equal((await ask(balancer.url, cookie)).text, text);
});

test("by an application's cookie only those stick who were given it, and only while they have both", async (t) => {
	const { balancer } = await targets(t, 2, { stickiness: { cookie: { name: "polls" }, seconds: 60 } });
	assert.equal((await ask(balancer.url)).cookie, "");
	const polling = await ask(`${balancer.url}/polls`);
	assert.match(polling.cookie, /^polls=1; AWSALBAPP-0=/);
	const whom = async (cookie: string) => {
		const answers: string[] = [];
		for (let n = 0; n < 24; n++) answers.push((await ask(balancer.url, cookie)).text);
		return new Set(answers);
	};
	assert.deepEqual([...(await whom(polling.cookie))], [polling.text]);
	assert.equal((await whom(polling.cookie.replace("polls=1; ", ""))).size, 2);
	assert.equal((await whom("polls=1")).size, 2);
});

test("until its checks have failed, a target that is gone is asked like any other, and answered for with 502", async (t) => {
	const { balancer, addresses, kill } = await targets(t, 2, { health: { ...readTargetGroup(small).health, interval: 60 } });
	const [one, two] = addresses as [string, string];
	await kill(one);
	const statuses: number[] = [];
	const firstLines: string[] = [];
	for (let n = 0; n < 24; n++) {
		statuses.push((await ask(balancer.url)).status);
		firstLines.push(await upgradeAnswer(balancer.url));
	}
	assert.deepEqual([...new Set(statuses)].sort(), [200, 502]);
	assert.deepEqual([...new Set(firstLines)].sort(), ["HTTP/1.1 101 Switching Protocols", "HTTP/1.1 502 Bad Gateway"]);
	await balancer.until(one, "unhealthy", 60_000);
	for (let n = 0; n < 8; n++) assert.match((await ask(balancer.url)).text, new RegExp(`^${two} `));
});

test("who fails its checks gets nobody, until it passes them again; with nobody healthy everybody is asked", async (t) => {
	const { balancer, well, addresses } = await targets(t, 2);
	const [one, two] = addresses as [string, string];
	well.set(one, false);
	await balancer.until(one, "unhealthy", 60_000);
	for (let n = 0; n < 4; n++) assert.match((await ask(balancer.url)).text, new RegExp(`^${two} `));
	well.set(two, false);
	await balancer.until(two, "unhealthy", 60_000);
	assert.equal((await ask(balancer.url)).status, 200);
	well.set(one, true);
	await balancer.until(one, "healthy", 60_000);
	assert.match((await ask(balancer.url)).text, new RegExp(`^${one} `));
});

test("a target that is taken out gets nobody new, keeps what is open for the delay, and is done at once when nothing is", async (t) => {
	// 60 s at a hundredth.
	const delay = holdTimers(t, 600);
	const { balancer } = await targets(t, 2);
	const leaving = await upgraded(balancer.url);
	let staying = await upgraded(balancer.url);
	// Two nodes, each with turns of its own.
	for (; staying.target === leaving.target; staying = await upgraded(balancer.url)) staying.socket.destroy();
	const stuck = await ask(balancer.url);
	const out = balancer.deregister(leaving.target);
	for (let n = 0; n < 4; n++) assert.match((await ask(balancer.url, stuck.cookie)).text, new RegExp(`^${staying.target} `));
	assert.equal(leaving.socket.destroyed, false);
	delay.pass();
	assert.deepEqual(await out, { cut: 1 });
	await leaving.closed;
	assert.equal(staying.socket.destroyed, false);

	balancer.register(leaving.target);
	await balancer.until(leaving.target, "healthy", 60_000);
	const again = balancer.deregister(staying.target);
	staying.socket.destroy();
	assert.deepEqual(await again, { cut: 0 });
	assert.equal((await ask(balancer.url)).status, 200);
	await balancer.deregister(leaving.target);
	assert.equal((await ask(balancer.url)).status, 503);
});

test("a target group is read with the service's own defaults, and one that cannot be played is refused", () => {
	assert.deepEqual(readTargetGroup(small), {
		port: 3000,
		health: { path: "/healthz", interval: 10, timeout: 5, healthy: 2, unhealthy: 3, codes: "200" },
		stickiness: { cookie: "its own", seconds: 86_400 },
		deregistrationDelay: 60,
	});
	const bare = (more: object = {}) =>
		readTargetGroup({ Resources: { T: { Type: "AWS::ElasticLoadBalancingV2::TargetGroup", Properties: more as never } } });
	assert.deepEqual([bare().deregistrationDelay, bare().stickiness, bare().health.interval], [300, null, 30]);
	const attributes = (given: Record<string, string>) =>
		bare({ TargetGroupAttributes: Object.entries(given).map(([Key, Value]) => ({ Key, Value })) });
	const app = { "stickiness.enabled": "true", "stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "polls" };
	assert.deepEqual(attributes(app).stickiness, { cookie: { name: "polls" }, seconds: 86_400 });
	assert.throws(() => attributes({ "slow_start.duration_seconds": "30" }), /Slow start/);
	assert.throws(() => attributes({ "load_balancing.algorithm.type": "least_outstanding_requests" }), /least_outstanding_requests/);
	assert.throws(() => readTargetGroup({ Resources: {} }), /0 target groups/);
});
