import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What a network between a browser and Charla may do. Everything can be changed while it runs. */
export type Weather = {
	/** Milliseconds every piece takes, each way: twice that is the round trip. Web sockets too, unlike the browser's own throttling. */
	delay: number;
	/** True: nothing gets through, and nothing new is let in. */
	cut: boolean;
	/** Turns away what is asked for: told the beginning of every request, path included. */
	refuses(request: string): boolean;
	/** Swallows single text frames on their way to the browser: told which connection (counted from 1) and what it says. */
	swallows(connection: number, frame: string): boolean;
};

/** A network of one's own in front of a Charla. Another Charla can be put behind it while browsers keep its address. */
export async function openWeather(target: string) {
	const pairs = new Set<[Socket, Socket]>();
	let sockets = 0;
	let stalled = false;
	const weather = {
		delay: 0,
		cut: false,
		refuses: (_request: string): boolean => false,
		swallows: (_connection: number, _frame: string): boolean => false,
		target,
		url: "",
		/** Ends every connection there is; new ones are let in, unless `cut` says otherwise. */
		dropAll(): void {
			for (const pair of pairs) for (const end of pair) end.destroy();
		},
		/** Takes nothing of what Charla sends from now on, or takes it again: it waits with Charla. What browsers send still passes. */
		stall(isStalled: boolean): void {
			stalled = isStalled;
			for (const [, charla] of pairs) isStalled ? charla.pause() : charla.resume();
		},
		async [Symbol.asyncDispose](): Promise<void> {
			weather.dropAll();
			await new Promise((done) => server.close(done));
		},
	};
	const server = createServer((browser) => {
		if (weather.cut) return void browser.destroy();
		const { hostname, port } = new URL(weather.target);
		const charla = connect(Number(port), hostname);
		const pair: [Socket, Socket] = [browser, charla];
		pairs.add(pair);
		const end = () => {
			pairs.delete(pair);
			browser.destroy();
			charla.destroy();
		};
		for (const side of pair) side.on("error", end).on("close", end).setNoDelay(true);

		let read: ((chunk: Buffer) => Buffer) | null = null;
		const up = inTime(() => weather.delay, charla);
		const down = inTime(() => weather.delay, browser);
		browser.on("data", (chunk) => {
			const request = read ? "" : chunk.toString("latin1", 0, 2000);
			if (weather.cut || (request && weather.refuses(request))) return end();
			if (/^GET \S*transport=websocket/.test(request)) {
				const connection = ++sockets;
				read = openFrames((frame) => weather.swallows(connection, frame));
			}
			up(chunk);
		});
		charla.on("data", (chunk) => down(read ? read(chunk) : chunk));
		if (stalled) charla.pause();
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	weather.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
	return weather;
}
export type OpenWeather = Awaited<ReturnType<typeof openWeather>>;

/** Writes to a socket in order, each piece when its time has come. */
function inTime(delay: () => number, to: Socket): (chunk: Buffer) => void {
	let last: Promise<void> = Promise.resolve();
	return (chunk) => {
		const due = Date.now() + delay();
		last = last.then(async () => {
			const wait = due - Date.now();
			if (wait > 0) await sleep(wait);
			if (!to.destroyed && chunk.length > 0) to.write(chunk);
		});
	};
}

/**
 * Reads what a server sends over a web socket and leaves out the text frames that are to be swallowed. Only for servers
 * that do not compress, as Charla does not. The answer to the handshake passes as it is.
 */
function openFrames(isSwallowed: (frame: string) => boolean): (chunk: Buffer) => Buffer {
	let rest = Buffer.alloc(0);
	let isOpen = false;
	return (chunk) => {
		rest = Buffer.concat([rest, chunk]);
		const passed: Buffer[] = [];
		if (!isOpen) {
			const end = rest.indexOf("\r\n\r\n");
			if (end < 0) return Buffer.alloc(0);
			passed.push(rest.subarray(0, end + 4));
			rest = rest.subarray(end + 4);
			isOpen = true;
		}
		for (;;) {
			const size = frameSize(rest);
			if (size === null || rest.length < size.head + size.body) break;
			const frame = rest.subarray(0, size.head + size.body);
			rest = rest.subarray(frame.length);
			const isText = ((frame[0] as number) & 0x0f) === 1;
			if (!isText || !isSwallowed(frame.toString("utf8", size.head))) passed.push(frame);
		}
		return Buffer.concat(passed);
	};
}

/** Length of a frame's head and body, RFC 6455 section 5.2; null while the head is not here. */
function frameSize(bytes: Buffer): { head: number; body: number } | null {
	if (bytes.length < 2) return null;
	const short = (bytes[1] as number) & 0x7f;
	if (short < 126) return { head: 2, body: short };
	if (short === 126) return bytes.length < 4 ? null : { head: 4, body: bytes.readUInt16BE(2) };
	return bytes.length < 10 ? null : { head: 10, body: Number(bytes.readBigUInt64BE(2)) };
}
