import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createRequestHandler } from "@remix-run/express";
import type { ServerBuild } from "@remix-run/node";
import express, { type NextFunction, type Request, type Response } from "express";
import type { Auth } from "../auth/index.server.ts";
import type { Chat } from "../chat/index.server.ts";
import { type Language, pickLanguage } from "../contract/language.ts";
import { limits, type Rate, rates } from "../contract/limits.ts";
import { asRefusal, type RefusalCode, type RefusalDetails, refusals, refuse } from "../contract/refusals.ts";
import { tellingPath } from "../contract/telling-path.ts";
import type { LoadContext, PageAgent } from "../load-context.ts";
import { prefixOf } from "./address.server.ts";
import { securityHeaders } from "./security.server.ts";

export { openAddress, prefixOf } from "./address.server.ts";
export { openOwnOrigin } from "./security.server.ts";

type Log = Record<"debug" | "info" | "warn" | "error", (message: string, fields?: Record<string, unknown>) => void>;

export type Pages = {
	/** Middlewares that serve the page's own files. */
	assets: express.Handler[];
	/** Remix's build, or the way to load it anew on each request (development). */
	build: ServerBuild | (() => Promise<ServerBuild>);
	mode: "production" | "development";
};

/**
 * The http side in two halves, because in development Vite's own middlewares stand between them: `front` (health, ids,
 * security headers, who may post) and `pages` (the page's files, then Remix for everything else).
 */
export function openHttp(given: {
	chat: Chat;
	auth: Auth;
	throttle: (rate: Rate, key: string) => void;
	log: Log;
	build: string;
	secure: boolean;
	/** Host of the address people use; null when it is whichever they ask. */
	publicHost: string | null;
	dev: boolean;
	proxyHops: number;
	isOwnOrigin: (request: IncomingMessage) => boolean;
	isUnavailable: (error: unknown) => boolean;
	report: (error: unknown, about: Record<string, string>) => string;
	/** Runs what answers a request, so that whatever it writes down has its id. */
	within?: (requestId: string, run: () => void) => void;
	/** Why something was refused, in words. */
	sayRefused: (language: Language, code: RefusalCode, details: RefusalDetails) => string;
	/** The reference of a failure that was expected; empty where nothing is recorded. */
	refer: (error: unknown) => string;
	/** Why the server is not ready for people, or null. */
	notReady: () => Promise<string | null>;
	endSession: LoadContext["endSession"];
	/** ShoppinAPI, under /api. Goes by keys, never by the cookie, so it stands before what guards forms. */
	api?: (request: Request, response: Response) => Promise<void>;
	/** Takes files of administrators; nothing is imported without it. */
	takeFile?: ((request: Request, response: Response) => Promise<void>) | null;
	/** Takes what pages measured; nothing is measured without it. */
	beacon?: express.Handler;
	/** What a page has to know to measure. */
	telemetry?: () => LoadContext["telemetry"];
	/** The agent for browsers that pages carry, or null. */
	pageAgent?: () => PageAgent | null;
	/** What operators see; null when telemetry is off. */
	ops?: LoadContext["ops"];
}): { front: express.Express; pages: (pages: Pages) => express.Express } {
	const { chat, auth, throttle, log } = given;
	function half(): express.Express {
		const app = express();
		app.disable("x-powered-by");
		// Exactly as many hops as there are proxies: one more, and anybody could choose the address limits see.
		app.set("trust proxy", given.proxyHops);
		return app;
	}
	const app = half();

	app.get("/healthz", (_request, response) => void response.type("text").send(`ok ${given.build}\n`));
	app.get("/readyz", async (_request, response) => {
		const why = await given.notReady();
		response.status(why ? 503 : 200).json({ ready: why === null, why, build: given.build });
	});

	app.use((request, response, next) => {
		const id = randomUUID();
		response.locals.requestId = id;
		response.setHeader("X-Request-Id", id);
		// Whoever looks at the answer, such as a browser's network panel or curl, has the way to its trace.
		const traceparent = given.telemetry?.()?.traceparent;
		if (traceparent) response.setHeader("Server-Timing", `traceparent;desc="${traceparent}"`);
		const startedAt = performance.now();
		const { socket } = request;
		const sentBefore = socket.bytesWritten;
		response.on("close", () => {
			// Who went away before the answer was whole has no status; 499 is what proxies call it.
			const status = response.writableFinished ? response.statusCode : 499;
			// Files, and what pages report every few seconds, would be nearly all lines there are.
			const isUsual = /^\/(assets|telemetry|favicon|apple-touch-icon|manifest|robots)\b/.test(request.originalUrl);
			const level = status >= 500 ? "error" : isUsual ? "debug" : "info";
			log[level]("http.request", {
				request_id: id,
				method: request.method,
				path: tellingPath(request.originalUrl),
				status,
				duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
				// As sent, headers and compression included: a page that is streamed has no length to ask for.
				bytes: socket.bytesWritten - sentBefore,
				ip_prefix: prefixOf(request.ip),
			});
		});
		if (given.within) given.within(id, next);
		else next();
	});
	app.use((request, _response, next) => {
		// Remix's adapter reads it whether or not a proxy is there to have written it.
		if (given.proxyHops === 0) delete request.headers["x-forwarded-host"];
		for (const host of [request.headers.host, request.headers["x-forwarded-host"]])
			if (host !== undefined && !isHost(String(host))) throw refuse("malformed");
		// A balancer may ask by an address of its own. Remix takes a form's page for a foreign one then, and the policy would name that host.
		if (given.publicHost !== null) {
			request.headers.host = given.publicHost;
			delete request.headers["x-forwarded-host"];
		}
		next();
	});
	app.use(securityHeaders({ secure: given.secure, dev: given.dev, pageAgent: given.pageAgent }));
	app.post("/csp-report", express.json({ type: () => true, limit: "16kb" }), (request, response) => {
		throttle(rates.call, `csp ${request.ip}`);
		const report = (request.body ?? {}) as { "csp-report"?: Record<string, unknown>; body?: Record<string, unknown> };
		const violated = report["csp-report"] ?? report.body ?? {};
		const said = (...names: string[]) =>
			String(names.map((name) => violated[name]).find((value) => typeof value === "string") ?? "").split("?")[0];
		log.warn("http.csp_violated", {
			request_id: response.locals.requestId,
			blocked: said("blocked-uri", "blockedURL"),
			directive: said("violated-directive", "effectiveDirective"),
		});
		response.status(204).end();
	});
	if (given.api) app.use("/api", (request, response, next) => void given.api?.(request, response).catch(next));
	// Before what refuses every body that is no form.
	if (given.takeFile) app.post("/ops/imports/file", (request, response, next) => void given.takeFile?.(request, response).catch(next));
	if (given.beacon) app.post("/telemetry", given.beacon);
	app.use((request, _response, next) => {
		const safe = request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS";
		if (!safe && !given.isOwnOrigin(request)) throw refuse("foreign-origin");
		// Forms say how long they are. What does not could be endless, and would be read to its end.
		if (!safe && request.headers["transfer-encoding"] !== undefined) throw refuse("malformed");
		if (!safe && Number(request.headers["content-length"] ?? 0) > limits.frame) throw refuse("too-long", { limit: limits.body });
		// What forms send, and nothing that reading one would fail on.
		const isForm = /^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "");
		if (!safe && !isForm && Number(request.headers["content-length"] ?? 0) > 0) throw refuse("malformed");
		next();
	});

	app.use(answerError);

	function pages(pages: Pages): express.Express {
		const app = half();
		for (const handler of pages.assets) app.use(handler);
		// Kept by a cache on the way, it would still be missing once it is there.
		app.use("/assets", (_request, response) => void response.status(404).set("Cache-Control", "no-store").type("text").send("not found\n"));
		app.all(
			"*",
			createRequestHandler({
				build: pages.build,
				mode: pages.mode,
				getLoadContext: (request, response) => {
					const { cookie } = request.headers;
					let session: ReturnType<LoadContext["session"]> | null = null;
					const look = async () => {
						const found = await auth.whoIs(cookie);
						// Being looked at renews it. Forms answer with cookies of their own: leaving must not be undone by its way.
						if (found?.isDue && request.method === "GET")
							for (const set of await auth.renew(found, cookie)) response.append("Set-Cookie", set);
						return found;
					};
					return {
						session: () => {
							session ??= look();
							return session;
						},
						chat,
						auth,
						endSession: given.endSession,
						throttle: (rate, key) => {
							try {
								throttle(rate, key);
							} catch (error) {
								// Remix drops an action's headers on the way to a page.
								const { seconds } = asRefusal(error)?.details ?? {};
								if (seconds !== undefined) response.setHeader("Retry-After", String(seconds));
								throw error;
							}
						},
						address: request.ip ?? "",
						isUnavailable: given.isUnavailable,
						report: given.report,
						refer: given.refer,
						buildId: given.build,
						requestId: response.locals.requestId as string,
						nonce: response.locals.nonce as string,
						pageAgent: response.locals.pageAgent as PageAgent | null,
						ops: given.ops ?? null,
						telemetry: given.telemetry?.(),
					} satisfies LoadContext;
				},
			}),
		);
		app.use(answerError);
		return app;
	}

	// What never reached a page: a foreign origin, a broken body, the database away before Remix could ask it.
	function answerError(error: unknown, request: Request, response: Response, next: NextFunction): void {
		if (response.headersSent) return next(error);
		const known = asRefusal(error) ?? (given.isUnavailable(error) ? refuse("unavailable") : null);
		const http = (error as { status?: unknown }).status;
		const refusal = known ?? (typeof http === "number" && http < 500 ? refuse("malformed") : null);
		const reference = refusal ? (refusal.code === "unavailable" ? given.refer(error) : "") : given.report(error, { path: request.path });
		const code = refusal?.code ?? "failed";
		const { seconds } = refusal?.details ?? {};
		if (seconds !== undefined) response.setHeader("Retry-After", String(seconds));
		response
			.status(refusals[code])
			.type("text")
			.send(`${given.sayRefused(languageOf(request), code, { ...refusal?.details, reference })}\n`);
	}

	return { front: app, pages };
}

/** Whether a header names one host as a URL could, its port included. */
function isHost(host: string): boolean {
	return /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host) && URL.canParse(`http://${host}/`);
}

function languageOf(request: Request) {
	return pickLanguage(/(?:^|;\s*)lang=(\w+)/.exec(request.headers.cookie ?? "")?.[1], request.headers["accept-language"]);
}
