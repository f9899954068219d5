import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { receiving } from "./receiving.ts";

/** How the endpoint behaves: as it should, or each way it was seen to fail. `reset` cuts the connection; `hang` never answers. */
export type CloudWatchMode = "well" | "throttle" | "unavailable" | "hang" | "reset" | "refuse";

type PutLogEvents = { logGroupName: string; logStreamName: string; logEvents: { timestamp: number; message: string }[] };
export type CloudWatchLogs = Awaited<ReturnType<typeof startCloudWatchLogs>>;

const day = 86_400_000;
/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const limits = { bytes: 1_048_576, perEvent: 26, events: 10_000, span: day, oldest: 14 * day, newest: 2 * 3_600_000 } as const;

class Refusal extends Error {
	override name = "InvalidParameterException";
	constructor(name: string, message: string) {
		super(message);
		this.name = name;
	}
}

/**
 * Stands in for CloudWatch Logs: AWS's JSON 1.1 protocol over http. Refuses what the service refuses (unsigned requests, groups and
 * streams that do not exist, batches too large, too long or out of order) and leaves out what is too old or too new.
 */
export async function startCloudWatchLogs(given: { groups?: string[]; port?: number } = {}) {
	const groups = new Set(given.groups ?? []);
	const streams = new Map<string, string[]>();
	const calls: { action: string; events: number; bytes: number; answered: string }[] = [];
	const held = new Set<IncomingMessage["socket"]>();
	let mode: CloudWatchMode = "well";
	/** Answers of this kind before it behaves again; without, until it is told otherwise. */
	let times = Number.POSITIVE_INFINITY;

	const key = (group: string, stream: string) => `${group}:${stream}`;
	const actions: Record<string, (body: never) => unknown> = {
		CreateLogGroup({ logGroupName }: { logGroupName: string }) {
			if (groups.has(logGroupName)) throw new Refusal("ResourceAlreadyExistsException", "the group exists");
			groups.add(logGroupName);
			return {};
		},
		CreateLogStream({ logGroupName, logStreamName }: PutLogEvents) {
			if (!groups.has(logGroupName)) throw new Refusal("ResourceNotFoundException", "no such group");
			if (/[:*]/.test(logStreamName)) throw new Refusal("InvalidParameterException", "a stream's name has no : and no *");
			if (streams.has(key(logGroupName, logStreamName))) throw new Refusal("ResourceAlreadyExistsException", "the stream exists");
			streams.set(key(logGroupName, logStreamName), []);
			return {};
		},
		PutLogEvents(body: PutLogEvents) {
			const lines = streams.get(key(body.logGroupName, body.logStreamName));
			if (!lines) throw new Refusal("ResourceNotFoundException", "no such stream");
			const refused = problemOf(body.logEvents);
			if (refused) throw new Refusal("InvalidParameterException", refused);
			const now = Date.now();
			const tooOld = body.logEvents.filter(({ timestamp }) => timestamp < now - limits.oldest).length;
			const tooNew = body.logEvents.findIndex(({ timestamp }) => timestamp > now + limits.newest);
			lines.push(...body.logEvents.slice(tooOld, tooNew < 0 ? undefined : tooNew).map(({ message }) => message));
			return tooOld > 0 || tooNew >= 0
				? {
						rejectedLogEventsInfo: {
							...(tooOld > 0 ? { tooOldLogEventEndIndex: tooOld } : {}),
							...(tooNew >= 0 ? { tooNewLogEventStartIndex: tooNew } : {}),
						},
					}
				: {};
		},
	};

	function answer(request: IncomingMessage, body: PutLogEvents): unknown {
		const action = actionOf(request);
		if (!/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[a-z0-9-]+\/logs\/aws4_request/.test(request.headers.authorization ?? ""))
			throw new Refusal("MissingAuthenticationTokenException", "not signed");
		const run = actions[action];
		if (!run) throw new Refusal("UnknownOperationException", action);
		return run(body as never);
	}

	const server = createServer(
		receiving((request, response, raw) => {
			const body = JSON.parse(String(request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw)) as PutLogEvents;
			const now = times-- > 0 ? mode : "well";
			const call = { action: actionOf(request), events: body.logEvents?.length ?? 0, bytes: raw.length, answered: now as string };
			calls.push(call);
			const reply = (status: number, about: unknown) => {
				response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
				response.end(JSON.stringify(about));
			};
			if (now === "hang") return void held.add(request.socket);
			if (now === "reset") return void request.socket.destroy();
			if (now === "throttle") return reply(400, { __type: "ThrottlingException", message: "Rate exceeded" });
			if (now === "unavailable") return reply(503, { __type: "ServiceUnavailableException", message: "try later" });
			if (now === "refuse") return reply(400, { __type: "InvalidParameterException", message: "not like this" });
			try {
				reply(200, answer(request, body));
			} catch (error) {
				call.answered = (error as Error).name;
				reply(400, { __type: (error as Error).name, message: (error as Error).message });
			}
		}),
	);
	await new Promise<void>((done) => server.listen(given.port ?? 0, "127.0.0.1", done));
	const { port } = server.address() as AddressInfo;
	return {
		port,
		endpoint: `http://127.0.0.1:${port}`,
		groups,
		calls,
		/** Lines of a group by stream name. */
		streams,
		/** All lines of a group, stream by stream. */
		lines: (group: string) => [...streams].filter(([name]) => name.startsWith(`${group}:`)).flatMap(([, lines]) => lines),
		behave(as: CloudWatchMode, forTimes = Number.POSITIVE_INFINITY): void {
			mode = as;
			times = forTimes;
		},
		async close(): Promise<void> {
			for (const socket of held) socket.destroy();
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}

const actionOf = (request: IncomingMessage): string => String(request.headers["x-amz-target"]).replace("Logs_20140328.", "");

function problemOf(events: PutLogEvents["logEvents"]): string | null {
	if (!Array.isArray(events) || events.length < 1) return "no events";
	if (events.length > limits.events) return "more than 10,000 events";
	if (events.some(({ message }) => typeof message !== "string" || message === "")) return "an event without a message";
	const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + limits.perEvent, 0);
	if (bytes > limits.bytes) return "more than 1,048,576 bytes";
	const times = events.map(({ timestamp }) => timestamp);
	if (times.some((time, index) => index > 0 && time < (times[index - 1] as number))) return "not in the order of their time";
	return (times.at(-1) as number) - (times[0] as number) > limits.span ? "more than 24 hours apart" : null;
}
