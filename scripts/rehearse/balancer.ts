import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, request as send } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TargetGroup } from "./target-group.ts";

export type TargetState = "initial" | "healthy" | "unhealthy" | "draining";
type Target = {
	id: string;
	address: string;
	state: TargetState;
	/** Checks in a row that said the same. */
	streak: number;
	wasHealthy: boolean;
	open: Set<Socket | Duplex>;
	stop: () => void;
	nowIdle: () => void;
};
export type Balancer = Awaited<ReturnType<typeof openBalancer>>;

/** The load balancer's cookies: for everybody, and for whoever was given the application's. */
const cookies = { own: "AWSALB", application: "AWSALBAPP-0" } as const;

/**
 * An application load balancer as far as chat can tell: a node in each of two zones with turns of its own, health checks, sticky cookies,
 * X-Forwarded-For, upgrades, 502 at once for a target that takes no connection, and a deregistration that sends nobody new, leaves
 * what is open alone for the delay, and then cuts it. All times are those of the target group; tests divide them by `tempo`.
 */
export async function openBalancer(group: TargetGroup, given: { host: string; port?: number; tempo?: number }) {
	const targets = new Map<string, Target>();
	const ms = (seconds: number) => (seconds * 1000) / (given.tempo ?? 1);
	const waiting = new Set<() => void>();
	const turns: [number, number] = [0, 0];
	const applications = group.stickiness && group.stickiness.cookie !== "its own" ? group.stickiness.cookie.name : null;
	const stickyCookie = applications ? cookies.application : cookies.own;

	function candidates(): Target[] {
		const registered = [...targets.values()].filter(({ state }) => state !== "draining");
		const healthy = registered.filter(({ state }) => state === "healthy");
		// With nobody healthy the service asks everybody: it may be the health checks that are wrong.
		return healthy.length > 0 ? healthy : registered;
	}

	function choose(cookie: string | undefined): Target | null {
		const able = candidates();
		const sent = new Map((cookie ?? "").split(/;\s*/).map((one) => one.split("=", 2) as [string, string]));
		// Who lost the application's cookie is kept no longer.
		const keeps = group.stickiness !== null && (applications === null || sent.has(applications));
		const kept = keeps ? able.find(({ id }) => id === sent.get(stickyCookie)) : undefined;
		if (kept || able.length === 0) return kept ?? null;
		const node = Math.random() < 0.5 ? 0 : 1;
		return able[turns[node]++ % able.length] as Target;
	}

	/** What a target's answer sets, and what the load balancer adds to it. */
	function withOwn(target: Target, set: string[]): string[] {
		if (!group.stickiness || (applications && !set.some((one) => one.startsWith(`${applications}=`)))) return set;
		return [
			...set,
			`${stickyCookie}=${target.id}; Expires=${new Date(Date.now() + group.stickiness.seconds * 1000).toUTCString()}; Path=/`,
		];
	}

	function forwarded(request: IncomingMessage): IncomingMessage["headers"] {
		const from = request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
		const before = request.headers["x-forwarded-for"];
		return { ...request.headers, "x-forwarded-for": before ? `${before}, ${from}` : from, "x-forwarded-proto": "http" };
	}

	function hold(target: Target, one: Socket | Duplex): void {
		target.open.add(one);
		one.once("close", () => {
			target.open.delete(one);
			if (target.open.size === 0) target.nowIdle();
		});
	}

	const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
		const target = choose(request.headers.cookie);
		if (!target) return void response.writeHead(503, { "content-type": "text/plain" }).end("no target\n");
		const { method, url: path } = request;
		const onward = send({ host: target.address, port: group.port, method, path, headers: forwarded(request), agent: false });
		onward.once("socket", (socket) => hold(target, socket));
		onward.on("response", (answer) => {
			const set = withOwn(target, answer.headers["set-cookie"] ?? []);
			response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...(set.length > 0 ? { "set-cookie": set } : {}) });
			answer.on("error", () => response.destroy());
			answer.pipe(response);
		});
		onward.on("error", () => {
			if (response.headersSent) response.destroy();
			else response.writeHead(502, { "content-type": "text/plain" }).end("the target does not answer\n");
		});
		response.on("close", () => onward.destroy());
		request.pipe(onward);
	});
	server.on("upgrade", (request, client, head) => {
		const target = choose(request.headers.cookie);
		if (!target) return void client.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n");
		const onward = connect(group.port, target.address);
		hold(target, onward);
		onward.setNoDelay(true);
		(client as Socket).setNoDelay?.(true);
		const headers = Object.entries(forwarded(request)).flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}`));
		onward.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
		if (head.length > 0) onward.write(head);
		onward.pipe(client);
		client.pipe(onward);
		// A target that takes no connection is told of; whatever else ends one side ends the other, after what was still to be said.
		onward.on("error", () =>
			onward.bytesRead === 0 ? client.end("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n") : client.destroy(),
		);
		onward.on("close", () => client.writableEnded || client.destroy());
		client.on("error", () => onward.destroy());
		client.on("finish", () => client.destroy());
		client.on("close", () => onward.destroy());
	});

	function setState(target: Target, state: TargetState): void {
		if (target.state === state) return;
		target.state = state;
		target.streak = 0;
		for (const wake of waiting) wake();
	}

	function check(target: Target): void {
		const { path, timeout, healthy, unhealthy, codes } = group.health;
		// A timer's second is our own: a busy machine shall not fail what a quiet one passes.
		fetch(`http://${target.address}:${group.port}${path}`, {
			signal: AbortSignal.timeout(Math.max(2000, ms(timeout))),
			headers: { "user-agent": "ELB-HealthChecker/2.0" },
		})
			.then(async (answer) => {
				await answer.body?.cancel();
				return isAmong(answer.status, codes);
			})
			.catch(() => false)
			.then((well) => {
				if (!targets.has(target.id) || target.state === "draining") return;
				target.streak = well === target.wasHealthy ? target.streak + 1 : 1;
				target.wasHealthy = well;
				if (well && (target.state === "initial" || target.streak >= healthy)) setState(target, "healthy");
				if (!well && target.streak >= unhealthy) setState(target, "unhealthy");
			});
	}

	await new Promise<void>((resolve, reject) => server.once("error", reject).listen(given.port ?? 0, given.host, 4096, resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://${given.host}:${port}`,
		states: () => Object.fromEntries([...targets.values()].map(({ address, state }) => [address, state])),
		openTo: (address: string) => [...targets.values()].find((each) => each.address === address)?.open.size ?? 0,
		register(address: string): void {
			if ([...targets.values()].some((each) => each.address === address && each.state !== "draining")) return;
			const target: Target = {
				id: randomUUID(),
				address,
				state: "initial",
				streak: 0,
				wasHealthy: true,
				open: new Set(),
				stop: () => {},
				nowIdle: () => {},
			};
			targets.set(target.id, target);
			const timer = setInterval(check, ms(group.health.interval), target);
			target.stop = () => clearInterval(timer);
			check(target);
		},
		/** Sends nobody new there. Resolves when nothing is open any more, or after the delay, when what is left has been cut. */
		async deregister(address: string): Promise<{ cut: number }> {
			const target = [...targets.values()].find((each) => each.address === address && each.state !== "draining");
			if (!target) return { cut: 0 };
			target.stop();
			setState(target, "draining");
			if (target.open.size > 0) {
				await new Promise<void>((resolve) => {
					const timer = setTimeout(resolve, ms(group.deregistrationDelay));
					target.nowIdle = () => {
						clearTimeout(timer);
						resolve();
					};
				});
			}
			const cut = target.open.size;
			for (const one of target.open) one.destroy();
			targets.delete(target.id);
			return { cut };
		},
		/** Resolves when a target is in a state; throws after `within` ms. */
		async until(address: string, state: TargetState, within: number): Promise<void> {
			const isSo = () => [...targets.values()].some((each) => each.address === address && each.state === state);
			const end = Date.now() + within;
			while (!isSo()) {
				const left = end - Date.now();
				if (left <= 0) throw new Error(`${address} did not become ${state} within ${within / 1000} s`);
				await new Promise<void>((resolve) => {
					const timer = setTimeout(done, Math.min(left, 1000));
					function done() {
						clearTimeout(timer);
						waiting.delete(done);
						resolve();
					}
					waiting.add(done);
				});
			}
		},
		async close(): Promise<void> {
			for (const target of targets.values()) {
				target.stop();
				for (const one of target.open) one.destroy();
			}
			targets.clear();
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}

/** Whether a status is among codes as a target group writes them: "200", "200,204", "200-299". */
function isAmong(status: number, codes: string): boolean {
	return codes.split(",").some((part) => {
		const [from, to = from] = part.split("-").map(Number);
		return status >= (from as number) && status <= (to as number);
	});
}
