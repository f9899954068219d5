import type { IncomingMessage, ServerResponse } from "node:http";
import { type ApiPorts, answer } from "./api.ts";
import { Problem } from "./problem.ts";
import type { Store } from "./store.ts";

/** One byte more than the API takes is enough to know that it is too much. */
const mostBytes = 256 * 1024 + 1;

/** The shop's tables in DynamoDB, where the functions keep theirs; else the store that is handed in. */
export async function openStore(tables: { items: string; carts: string } | null, own: Store): Promise<Store> {
	if (!tables) return own;
	// Only here: AWS's client is half a second of a start nobody else should wait for.
	const { openDynamo, openDynamoStore } = await import("./dynamo-store.ts");
	return openDynamoStore({ client: openDynamo(), itemsTable: tables.items, cartsTable: tables.carts });
}

export type Served = Omit<ApiPorts, "throttle" | "isOwnOrigin"> & {
	requestId: (request: IncomingMessage, response: ServerResponse) => string;
	/** The asker's address, for limits. */
	address: (request: IncomingMessage) => string;
	/** Takes one of what a key or an address may ask; throws what has `details.seconds`. */
	limit?: (key: string) => void;
};

/** ShoppinAPI on a server of Node: the same answers the function gives, with no AWS anywhere. */
export function serveApi(given: Served): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
	const ports: ApiPorts = {
		...given,
		isOwnOrigin: isLoopback,
		throttle: (key) => {
			try {
				given.limit?.(key);
			} catch (error) {
				throw new Problem("too-fast", { seconds: (error as { details?: { seconds?: number } }).details?.seconds ?? 1 });
			}
		},
	};
	return async (request, response) => {
		const body = await bodyOf(request);
		if (response.destroyed) return;
		const url = new URL(request.url ?? "/", "http://localhost");
		const answered = await answer(ports, {
			method: request.method ?? "GET",
			path: url.pathname,
			query: Object.fromEntries(url.searchParams),
			headers: Object.fromEntries(
				Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
			),
			body,
			address: given.address(request),
			requestId: given.requestId(request, response),
		});
		for (const [name, value] of Object.entries(answered.headers)) response.setHeader(name, value);
		// What was not read to its end must not be taken for the next request.
		if (!request.complete) response.setHeader("connection", "close");
		response.writeHead(answered.status).end(request.method === "HEAD" ? undefined : answered.body);
	};
}

/** The body as far as the API looks at it; null when there is none, or when whoever sent it went away. */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
	if (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS") return null;
	const chunks: Buffer[] = [];
	let bytes = 0;
	try {
		for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
			chunks.push(chunk);
			bytes += chunk.length;
			if (bytes >= mostBytes) break;
		}
	} catch {
		return null;
	}
	return Buffer.concat(chunks);
}

/** A page that came from this very machine. */
function isLoopback(origin: string): boolean {
	if (!URL.canParse(origin)) return false;
	const { hostname } = new URL(origin);
	return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
}
