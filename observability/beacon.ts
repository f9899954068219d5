import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TraceSpan } from "../app/contract/ops.ts";
import { openAllowances } from "./beacon/allowance.ts";
import { readBody } from "./beacon/read-body.ts";
import { takeMeasured } from "./beacon/take-measured.ts";
import { count } from "./instruments.ts";

type Log = Record<"debug" | "warn", (event: string, fields?: Record<string, unknown>) => void>;
type Asker = { me: { id: string } };
type Why = "too-large" | "invalid" | "rejected";

/** A body: what `sendBeacon` itself takes at most. */
const bytesAtMost = 64 * 1024;
/** Who a cookie is, is asked once in this time, ms: a page reports every ten seconds, and the database has better to do. */
const knownFor = 300_000;
const knownAtMost = 5000;
/** Cookies nobody knows that are looked up, each second and at once. More is somebody trying. */
const lookups = { perSecond: 20, burst: 100 };

/**
 * Takes what pages measured: `POST /telemetry` (`beaconPath`), to be mounted before anything that reads or refuses bodies.
 * The answer is always 204 and tells nothing: not signed in, from elsewhere, too large, too often or malformed is dropped
 * and counted (`telemetry.dropped`, signal beacon). What is accepted becomes metrics and service level events, and its
 * spans are handed to `onSpans`. Never throws. All of it is what a browser claims: see beacon/ for what bounds the claims.
 */
export function openBeacon(given: {
	/** Whose cookies these are. */
	whoIs: (cookies: string | undefined) => Promise<Asker | null>;
	isOwnOrigin: (request: IncomingMessage) => boolean;
	onSpans: (spans: TraceSpan[]) => void;
	log: Log;
	/** ms since 1970. */
	clock?: () => number;
}): (request: IncomingMessage, response: ServerResponse) => void {
	const { log, clock = Date.now } = given;
	const allowances = openAllowances(clock);
	const lookup = openAllowances(clock, lookups);
	const known = new Map<string, { userId: string | null; until: number }>();

	async function whoAsks(cookies: string | undefined): Promise<string | null> {
		if (!cookies) return null;
		const key = createHash("sha256").update(cookies).digest("base64");
		const found = known.get(key);
		if (found && found.until > clock()) return found.userId;
		if (!lookup.request("everybody")) return null;
		const userId = (await given.whoIs(cookies))?.me.id ?? null;
		known.delete(key);
		known.set(key, { userId, until: clock() + knownFor });
		if (known.size > knownAtMost) known.delete(known.keys().next().value as string);
		return userId;
	}

	async function take(request: IncomingMessage, body: Buffer): Promise<void> {
		const userId = await whoAsks(request.headers.cookie);
		if (!userId || !allowances.request(userId)) return drop("rejected");
		const report = readBody(body.toString("utf8"), clock());
		if (typeof report === "string") return drop(report);
		if (report.invalid > 0) drop("invalid", report.invalid);
		const left = takeMeasured(report.measured, { allowance: allowances.of(userId), log, userId, build: report.build });
		if (left > 0) drop("rejected", left);
		if (report.spans.length > 0) given.onSpans(report.spans);
	}

	return (request, response) => {
		const chunks: Buffer[] = [];
		let size = 0;
		let isOver = false;
		/** Answers, and hears no more of this request. */
		const end = (why: Why | null) => {
			if (isOver) return;
			isOver = true;
			if (why) drop(why);
			// What is still coming is not read: the connection ends with the answer.
			response.writeHead(204, why ? { Connection: "close" } : {}).end();
		};
		request.on("error", () => {});
		if (!given.isOwnOrigin(request)) end("rejected");
		else if (Number(request.headers["content-length"] ?? 0) > bytesAtMost) end("too-large");
		request.on("data", (chunk: Buffer) => {
			if (isOver) return;
			size += chunk.length;
			if (size > bytesAtMost) end("too-large");
			else chunks.push(chunk);
		});
		request.on("end", () => {
			if (isOver) return;
			end(null);
			take(request, Buffer.concat(chunks)).catch(() => drop("rejected"));
		});
	};
}

const drop = (reason: Why, items = 1): void => count("telemetry.dropped", items, { signal: "beacon", reason });
