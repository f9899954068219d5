import { Agent, createServer, type Server as HttpServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";
import type { OwnWorker } from "./own.ts";

/**
 * Several workers listen on one port, and the system gives each connection to one of them. Most requests any worker can answer.
 * Some belong to a certain one: what goes on with a socket's session (polling, or an upgrade to websocket) is the worker's that
 * began it, whose number is in the session's id; and operators look at one worker at a time. Those are handed over, request by
 * request, since a proxy sends many people's requests over one connection.
 */

/** Where a worker is reached by the others: a unix socket in a folder only this account may enter. */
export const socketOf = (folder: string, worker: number): string => path.join(folder, `worker-${worker}.sock`);

/** The end of a session's id that says whose it is. */
export const sessionSuffix = (worker: number): string => `.${worker}`;

/** Whose a request is, by its address and cookies; null: anybody's. */
export function ownerOf(request: Pick<IncomingMessage, "url" | "headers">): number | null {
	const url = request.url ?? "";
	const sid = /^\/socket\.io\/.*[?&]sid=[\w-]+\.(\d{1,3})(?:&|$)/.exec(url);
	if (sid) return Number(sid[1]);
	if (!/^\/ops(?:[/?]|\.data|$)/.test(url)) return null;
	const wanted = /[?&]worker=(\d{1,3})(?:&|$)/.exec(url) ?? /(?:^|;\s*)ops-worker=(\d{1,3})(?:;|$)/.exec(request.headers.cookie ?? "");
	return wanted ? Number(wanted[1]) : 1;
}

/** Headers as they came, without those of the connection. */
function ofTheAnswer({ rawHeaders }: IncomingMessage): string[] {
	return rawHeaders.filter((_, i) => !/^(connection|keep-alive)$/i.test(rawHeaders[i - (i % 2)] as string));
}

/** The server that listens on the shared port: answers by `http` what is this worker's or anybody's, and hands over the rest. */
export function openDoor(given: { http: HttpServer; worker: OwnWorker }): HttpServer {
	const { http } = given;
	const { number, count, folder } = given.worker;
	// A connection each: a kept one might be closing just when it is used again, and a polling request holds its own for long.
	const agent = new Agent({ keepAlive: false });

	function elsewhere(request: IncomingMessage): string | null {
		const owner = ownerOf(request);
		return owner === null || owner === number || owner < 1 || owner > count ? null : socketOf(folder, owner);
	}

	function handOver(socketPath: string, incoming: IncomingMessage, response: ServerResponse): void {
		// What is said of a connection is said of that one alone. Passed on, "close" let the owner hang up as soon as it had answered,
		// and a body whose end came a moment later ran into that: the answer was lost.
		const headers = { ...incoming.headers, connection: "keep-alive" };
		const outgoing = request({ agent, socketPath, method: incoming.method, path: incoming.url, headers }, (answer) => {
			const cookie = response.getHeader("Set-Cookie");
			response.writeHead(answer.statusCode ?? 502, [...ofTheAnswer(answer), ...(typeof cookie === "string" ? ["Set-Cookie", cookie] : [])]);
			answer.pipe(response);
			answer.on("error", () => response.destroy());
		});
		outgoing.on("error", () => {
			if (response.headersSent) return void response.destroy();
			// As Socket.IO says it of a session it does not know: the browser begins a new one.
			response.writeHead(400, { "Content-Type": "application/json" }).end('{"code":1,"message":"Session ID unknown"}');
		});
		response.on("close", () => {
			if (!response.writableFinished) outgoing.destroy();
		});
		incoming.pipe(outgoing);
	}

	function handOverUpgrade(socketPath: string, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
		const other = connect(socketPath, () => {
			const headers = incoming.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
			other.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
			other.write(head);
			socket.pipe(other).pipe(socket);
		});
		for (const [one, its] of [
			[socket, other],
			[other, socket],
		] as const) {
			one.on("error", () => its.destroy());
			one.on("close", () => its.destroy());
		}
	}

	const door = createServer((incoming, response) => {
		// Chosen once, an operator stays with it.
		const chosen = /^\/ops\b.*[?&]worker=(\d{1,3})(?:&|$)/.exec(incoming.url ?? "")?.[1];
		if (chosen) response.appendHeader("Set-Cookie", `ops-worker=${chosen}; Path=/ops; HttpOnly; SameSite=Strict`);
		const socketPath = elsewhere(incoming);
		if (socketPath) handOver(socketPath, incoming, response);
		else http.emit("request", incoming, response);
	});
	door.on("upgrade", (incoming, socket, head) => {
		const socketPath = elsewhere(incoming);
		if (socketPath) handOverUpgrade(socketPath, incoming, socket, head);
		else http.emit("upgrade", incoming, socket, head);
	});
	door.on("close", () => agent.destroy());
	return door;
}
