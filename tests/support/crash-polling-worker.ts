import { createServer, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

/*
 * A thread of its own: in the thread of hundreds of busy people each step of each request would wait for all of them, and what
 * is slow there would look like a server that does not answer.
 */

const { port } = workerData as { port: number };
/** By whom, and by name, as browsers keep them: one that is set leaves the others. */
const kept = new Map<string, Map<string, string>>();
function keep(own: string, set: string): void {
	const theirs = kept.get(own) ?? kept.set(own, new Map()).get(own);
	const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
	if (/; *max-age=0/i.test(set)) theirs?.delete(name);
	else theirs?.set(name, value);
}

const proxy = createServer((incoming, answer) => {
	const { method, url: path } = incoming;
	const own = incoming.headers.cookie ?? "";
	const theirs = [...(kept.get(own) ?? [])].map(([name, value]) => `${name}=${value}`);
	const headers = theirs.length > 0 ? { ...incoming.headers, cookie: [own, ...theirs].join("; ") } : incoming.headers;
	const outgoing = request({ host: "127.0.0.1", port, method, path, headers }, (response) => {
		const { "set-cookie": set, ...others } = response.headers;
		if (own) for (const each of set ?? []) keep(own, each);
		answer.writeHead(response.statusCode ?? 502, others);
		response.on("error", () => answer.destroy());
		response.pipe(answer);
	});
	outgoing.on("error", () => {
		if (answer.headersSent) answer.destroy();
		else answer.writeHead(502).end();
	});
	answer.on("close", () => outgoing.destroy());
	incoming.pipe(outgoing);
});
proxy.on("upgrade", (_request, socket) => socket.destroy());
proxy.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => parentPort?.postMessage((proxy.address() as { port: number }).port));
