import { createServer } from "node:http";
import { io, type Socket } from "socket.io-client";
import { readConfig } from "../../app/config.server.ts";
import type { Answer, CallAnswer, CallInput, CallName } from "../../app/contract/calls.ts";
import type { Fact, Signal } from "../../app/contract/facts.ts";
import type { Person } from "../../app/contract/shapes.ts";
import { builtPages } from "../../app/http/pages.server.ts";
import { recordPages } from "../../observability/recorder.ts";
import { type Charla, startCharla } from "../../server.ts";
import { freshDatabase } from "./database.ts";

type Env = Record<string, string>;

/** A whole Charla in this process, on a database and a port of its own. `pages` serves what was built. */
export async function testCharla(options: { env?: Env; pages?: boolean; database?: { url: string } } = {}) {
	// First of all: without a build nothing is started that would have to be stopped again.
	const pages = options.pages ? await builtPages() : null;
	const own = options.database ? null : await freshDatabase();
	const url = (options.database ?? own)?.url as string;
	const config = readConfig({
		DATABASE_URL: url,
		SESSION_SECRET: "a secret of at least thirty-two characters",
		RATE_LIMITS: "off",
		FACT_URL: "off",
		DRAIN_SECONDS: "0",
		LOG_LEVEL: "error",
		DATA_DIR: "/nonexistent",
		// Both write into that folder.
		IMPORTS: "off",
		ACTIVITY_ARCHIVE: "off",
		...options.env,
	});
	const http = createServer();
	const charla: Charla = await startCharla(config, http);
	if (pages) charla.front.use(charla.pages(recordPages(pages)));
	await new Promise<void>((done) => http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, done));
	const { port } = http.address() as { port: number };
	const sockets = new Set<Socket>();

	return {
		...charla,
		url: `http://127.0.0.1:${port}`,
		database: { url },
		/** Makes a person (or takes one) and gives the cookie of a session. */
		async person(name: string): Promise<{ me: Person; cookie: string }> {
			const me = await charla.chat.people.enter({ name });
			return { me, cookie: await this.session(me) };
		},
		async session(me: Person): Promise<string> {
			const [set] = await charla.auth.signIn(me);
			return (set as string).split(";")[0] as string;
		},
		/** A person's socket, connected and welcomed; keeps everything it hears. */
		async connect(cookie: string, more: { transports?: string[]; headers?: Record<string, string> } = {}): Promise<TestSocket> {
			const socket = openSocket(this.url, cookie, more);
			sockets.add(socket.raw);
			await socket.welcomed;
			return socket;
		},
		async [Symbol.asyncDispose]() {
			for (const socket of sockets) socket.close();
			await charla.stop();
			await own?.[Symbol.asyncDispose]();
		},
	};
}
export type TestCharla = Awaited<ReturnType<typeof testCharla>>;

export type TestSocket = ReturnType<typeof openSocket>;

/** A socket as the browser opens it, that remembers what it heard. */
export function openSocket(url: string, cookie: string, more: { transports?: string[]; headers?: Record<string, string> } = {}) {
	const raw = io(url, {
		transports: more.transports ?? ["websocket"],
		extraHeaders: { cookie, ...more.headers },
		reconnection: false,
		forceNew: true,
	});
	const facts: Fact[] = [];
	const signals: Signal[] = [];
	let wake: (() => void)[] = [];
	const woken = () => {
		for (const w of wake) w();
		wake = [];
	};
	raw.on("fact", (fact: Fact) => {
		facts.push(fact);
		woken();
	});
	raw.on("signal", (signal: Signal) => {
		signals.push(signal);
		woken();
	});
	const welcomed = new Promise<void>((resolve, reject) => {
		raw.once("signal", () => resolve());
		raw.once("connect_error", reject);
	});
	return {
		raw,
		facts,
		signals,
		welcomed,
		/** Resolves with the reason when the connection ends or never begins; fails after `within` ms. */
		closed(within = 30_000): Promise<string> {
			return new Promise((resolve, reject) => {
				const timer = setTimeout(() => reject(new Error(`still connected after ${within} ms`)), within);
				const done = (reason: string) => {
					clearTimeout(timer);
					resolve(reason);
				};
				raw.once("disconnect", done);
				raw.once("connect_error", (error) => done(error.message));
			});
		},
		/** Asks as the browser does. `input` may be anything: bad input is half of what is tested. */
		async call<N extends CallName>(name: N, input: CallInput<N> | Record<string, unknown>): Promise<Answer<CallAnswer[N]>> {
			return raw.timeout(30_000).emitWithAck(name, input);
		},
		/** Waits until what was heard fulfils a condition; fails after `within` ms. */
		async until(condition: () => boolean, within = 30_000): Promise<void> {
			const end = Date.now() + within;
			while (!condition()) {
				if (Date.now() > end)
					throw new Error(`not heard within ${within} ms; facts: ${facts.length}, signals: ${JSON.stringify(signals).slice(0, 300)}`);
				await new Promise<void>((resolve) => {
					const timer = setTimeout(resolve, 50);
					wake.push(() => {
						clearTimeout(timer);
						resolve();
					});
				});
			}
		},
	};
}
