import { context, createContextKey, type Span, trace } from "@opentelemetry/api";
import { asRefusal } from "../../app/contract/refusals.ts";
import { markError, tracer } from "./spans.ts";

type Loader = (given: { request: Request; context: unknown; params: unknown }) => unknown;
type Route = { id: string; parentId?: string | undefined; path?: string | undefined; module: object };
type Build = { routes: Record<string, Route | undefined> };

/** Where the http instrumentation looks for the route when the answer is sent; the API gives equal keys for equal names. */
const requestKey = createContextKey("OpenTelemetry SDK Context Key RPC_METADATA");

/** The pages with their routes recorded, whether built or loaded anew for each request. */
export function recordPages<T extends { build: Build | (() => Promise<Build>) }>(pages: T): T {
	const { build } = pages;
	return { ...pages, build: typeof build === "function" ? async () => recordRoutes(await build()) : recordRoutes(build) };
}

/**
 * Names requests by their Remix route: to Express all of them are one route, "*". Wraps each loader and action with a span of
 * its own, and gives the http span (and its metric) the pattern of the deepest one that ran.
 */
export function recordRoutes<T extends Build>(build: T): T {
	const routes = Object.fromEntries(
		Object.entries(build.routes).map(([id, route]) => [id, route ? { ...route, module: wrapModule(route, patternOf(build, id)) } : route]),
	);
	return { ...build, routes };
}

function patternOf(build: Build, id: string): string {
	const parts: string[] = [];
	for (let route = build.routes[id]; route; route = route.parentId ? build.routes[route.parentId] : undefined)
		if (route.path) parts.unshift(route.path);
	return `/${parts.join("/")}`;
}

function wrapModule(route: Route, pattern: string): object {
	const given = route.module as Record<string, unknown>;
	const { loader, action } = given;
	// A module's exports cannot be changed, so a copy stands in for it.
	const wrapped: Record<string, unknown> = {};
	if (typeof loader === "function") wrapped.loader = wrap("loader", loader as Loader, route.id, pattern);
	if (typeof action === "function") wrapped.action = wrap("action", action as Loader, route.id, pattern);
	if (Object.keys(wrapped).length === 0) return route.module;
	return { ...given, ...wrapped };
}

/** A failure says so in its status, whether it was thrown or returned. */
function markStatus(span: Span, status: number, error?: unknown): void {
	if (status >= 500) markError(span, { outcome: "failed", errorType: status === 503 ? "unavailable" : "internal" }, error);
}

const isAnswer = (result: unknown): boolean =>
	result instanceof Response || (result as { type?: unknown } | null)?.type === "DataWithResponseInit";

/** What an answer says; 500 for what is none. */
function statusOf(thrown: unknown): number {
	if (asRefusal(thrown)) return 400;
	const { status, init } = (thrown ?? {}) as { status?: unknown; init?: { status?: unknown } | null };
	const said = status ?? (typeof init === "object" ? (init?.status ?? 200) : undefined);
	return typeof said === "number" ? said : 500;
}

function wrap(phase: "loader" | "action", run: Loader, routeId: string, pattern: string): Loader {
	return async (given) => {
		const active = context.active();
		const http = trace.getSpan(active);
		if (!http) return run(given);
		nameRequest(pattern, phase, given.request);
		const span = tracer().startSpan(`${phase} ${pattern}`, { attributes: { "chat.remix.route_id": routeId } }, active);
		try {
			const result = await context.with(trace.setSpan(active, span), () => run(given));
			if (isAnswer(result)) markStatus(span, statusOf(result));
			return result;
		} catch (error) {
			// Redirects, refusals and pages that say no are answers.
			markStatus(span, statusOf(error), error);
			throw error;
		} finally {
			span.end();
		}
	};

	function nameRequest(route: string, phase: "loader" | "action", request: Request): void {
		const about = context.active().getValue(requestKey) as { route?: string } | undefined;
		const http = trace.getActiveSpan();
		if (!about || !http) return;
		if (route.length >= (about.route?.length ?? 0)) about.route = route;
		const isDocument = request.headers.get("sec-fetch-dest") === "document" || (request.headers.get("accept") ?? "").includes("text/html");
		http.setAttribute("chat.remix.phase", phase === "action" ? "action" : isDocument ? "document" : "loader");
	}
}
