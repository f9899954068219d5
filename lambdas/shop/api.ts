import { createHash } from "node:crypto";
import type { Cart, Party, Scope } from "../../app/contract/orders.ts";
import { itemPattern, readOrder } from "./order-input.ts";
import { asProblem, Problem, type ProblemCode, problems } from "./problem.ts";
import type { Shop } from "./shop.ts";
import type { ApiKey, FindKey } from "./store.ts";

/** A request as every door can give it: Lambda behind API Gateway, or a server of Node. Header names are lower-case. */
export type ApiRequest = {
	method: string;
	/** Without the stage or whatever else it is mounted under. */
	path: string;
	query: Readonly<Record<string, string | undefined>>;
	headers: Readonly<Record<string, string | undefined>>;
	/** Null when there was none. Bytes where they come as bytes: whether they are text is the same question at every door. */
	body: string | Uint8Array | null;
	/** For limits. */
	address: string;
	requestId: string;
};
export type ApiAnswer = { status: number; headers: Record<string, string>; body: string; route: string; code: ProblemCode | null };

export type ApiPorts = {
	shop: Shop;
	findKey: FindKey;
	/** Whether the shop serves callers without a key. Then pages of other sites are kept out: `origins` alone may ask. */
	isOpen: boolean;
	/** Origins of pages that may ask without a key. With a key any may: no browser sends one by itself. */
	isOwnOrigin?: (origin: string) => boolean;
	/** Whom an order is for, by name, where people are known; null: nobody of that name. */
	person?: (name: string) => Promise<Party | null>;
	/** The id of a room that takes orders from the API, by id or name, where rooms are known; null: none does. */
	room?: (name: string) => Promise<string | null>;
	/** Throws `too-fast`. */
	throttle?: (key: string) => void;
	/** Something was ordered: whoever shows it need not wait for the next look. */
	ordered?: (cart: Cart) => void;
	/** Told of what nobody expected. */
	report: (error: unknown) => void;
	isUnavailable?: (error: unknown) => boolean;
};

const mostBytes = 256 * 1024;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const defaultPage = 50;
const mostPage = 200;
/** How long a browser may remember what it may ask, s. */
const preflightAge = "600";

type Caller = { key: ApiKey | null; party: Party };
type Route = {
	name: string;
	method: "GET" | "POST";
	pattern: RegExp;
	scope: Scope;
	run: (ports: ApiPorts, request: ApiRequest, caller: Caller, id: string) => Promise<{ body: unknown; headers?: Record<string, string> }>;
};

const routes: readonly Route[] = [
	{ name: "/item", method: "GET", pattern: /^\/item\/?$/, scope: "items:read", run: listItems },
	{
		name: "/item/{id}",
		method: "GET",
		pattern: /^\/item\/([^/]+)$/,
		scope: "items:read",
		run: async ({ shop }, _request, _caller, id) => {
			if (!itemPattern.test(id)) throw new Problem("not-found");
			return { body: await shop.item(id) };
		},
	},
	{ name: "/cart", method: "POST", pattern: /^\/cart\/?$/, scope: "carts:write", run: createCart },
	{
		name: "/cart/{id}",
		method: "GET",
		pattern: /^\/cart\/([^/]+)$/,
		scope: "carts:read",
		run: async ({ shop }, _request, { key }, id) => {
			if (!uuid.test(id)) throw new Problem("not-found");
			const cart = await shop.cart(id.toLowerCase());
			// A key bound to a room sees that room's orders, and no others.
			if (key?.room && cart.room !== key.room) throw new Problem("not-found");
			return { body: cart };
		},
	},
];

/** ShoppinAPI: one answer for each request, whatever was asked. Never throws. */
export async function answer(ports: ApiPorts, request: ApiRequest): Promise<ApiAnswer> {
	const cors = corsOf(ports, request);
	let name = "none";
	try {
		const onPath = routes.filter((route) => route.pattern.test(request.path));
		name = onPath[0]?.name ?? "none";
		if (onPath.length === 0) throw new Problem("not-found");
		const allow = [...onPath.map((route) => route.method), "OPTIONS"].join(", ");
		if (request.method === "OPTIONS") return { status: 204, headers: { ...cors, allow }, body: "", route: name, code: null };
		const wanted = request.method === "HEAD" ? "GET" : request.method;
		const route = onPath.find((each) => each.method === wanted);
		if (!route) return refused(new Problem("method-not-allowed"), request, { ...cors, allow }, name);
		const caller = await callerOf(ports, request, route.scope);
		const id = decoded(route.pattern.exec(request.path)?.[1] ?? "");
		const { body, headers } = await route.run(ports, request, caller, id);
		return { status: 200, headers: { ...plain, ...cors, ...headers }, body: `${JSON.stringify(body)}\n`, route: name, code: null };
	} catch (error) {
		const known = asProblem(error) ?? (ports.isUnavailable?.(error) ? new Problem("unavailable") : null);
		if (!known) ports.report(error);
		return refused(known ?? new Problem("failed"), request, cors, name);
	}
}

const plain = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", "x-content-type-options": "nosniff" };

function refused(problem: Problem, request: ApiRequest, headers: Record<string, string>, route: string): ApiAnswer {
	const { code, details } = problem;
	return {
		status: problems[code].status,
		headers: {
			...plain,
			...headers,
			...(code === "unauthorized" ? { "www-authenticate": 'Bearer realm="ShoppinAPI"' } : {}),
			...(details.seconds === undefined ? {} : { "retry-after": String(details.seconds) }),
		},
		body: `${JSON.stringify({ error: { code, message: problems[code].message, ...details, request_id: request.requestId } })}\n`,
		route,
		code,
	};
}

async function listItems({ shop }: ApiPorts, { query }: ApiRequest) {
	const limit = query.limit === undefined ? defaultPage : /^\d{1,3}$/.test(query.limit) ? Number(query.limit) : 0;
	const after = query.after ?? null;
	if (limit < 1 || limit > mostPage || (after !== null && !itemPattern.test(after))) throw new Problem("invalid-paging");
	const { items, next } = await shop.items({ after, limit });
	const more = next === null ? null : `?${new URLSearchParams({ limit: String(limit), after: next })}`;
	return { body: { items, next }, headers: more === null ? undefined : { link: `<${more}>; rel="next"` } };
}

async function createCart(ports: ApiPorts, request: ApiRequest, { key, party }: Caller) {
	const body = request.body ?? "";
	if (Buffer.byteLength(body) > mostBytes) throw new Problem("too-large");
	// curl -d sends no JSON type unless told to, and the two lines everybody knows must work.
	const said = (request.headers["content-type"] ?? "").toLowerCase();
	const type = said.split(";")[0]?.trim() ?? "";
	const isJson = ["", "application/json", "application/x-www-form-urlencoded"].includes(type) || type.endsWith("+json");
	// JSON is UTF-8; whoever says theirs is something else is told so, and not that a field is missing.
	const charset = /;\s*charset="?([^\s;"]*)/.exec(said)?.[1] ?? "utf-8";
	if (!isJson || !["utf-8", "utf8", "us-ascii"].includes(charset)) throw new Problem("unsupported-media-type");
	const once = request.headers["idempotency-key"];
	if (once !== undefined && !/^[\x21-\x7e]([\x20-\x7e]{0,126}[\x21-\x7e])?$/.test(once)) throw new Problem("invalid-key");
	const asked = readOrder(parsed(textOf(body)));
	const [user, room] = await Promise.all([userOf(ports, party, asked.user), roomOf(ports, key, asked.room)]);
	const { cart, isNew } = await ports.shop.order({
		lines: asked.lines,
		user,
		room,
		via: "api",
		once: once === undefined ? null : { scope: key?.id ?? "open", key: once },
	});
	if (isNew) ports.ordered?.(cart);
	return {
		body: { id: cart.id, message: "cart created", cart },
		headers: { location: `cart/${cart.id}`, ...(isNew ? {} : { "idempotency-replayed": "true" }) },
	};
}

/** UTF-8, with or without the mark some editors put before it. */
function textOf(body: string | Uint8Array): string {
	if (typeof body === "string") return body.replace(/^\ufeff/, "");
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(body);
	} catch {
		throw new Problem("wrong-encoding");
	}
}

function parsed(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		throw new Problem("malformed-json");
	}
}

/** "me" is whom the key belongs to. Anybody else has to be known, where people are known. */
async function userOf({ person }: ApiPorts, me: Party, name: string): Promise<Party> {
	if (name === "me" || name === me.name) return me;
	if (!person) return { id: null, name };
	const found = await person(name);
	if (!found) throw new Problem("unknown-user", { user: name });
	return found;
}

/** The room the key belongs to, or the one the order names; a key of one room orders for no other. */
async function roomOf(ports: ApiPorts, key: ApiKey | null, name: string | null): Promise<string | null> {
	if (name === null) return key?.room ?? null;
	// Where no rooms are known, a room is its id: whoever shows the order looks it up.
	const found = ports.room ? await ports.room(name) : uuid.test(name) ? name.toLowerCase() : null;
	if (found === null) throw new Problem("room-not-linked", { room: name });
	if (key?.room && key.room !== found) throw new Problem("forbidden");
	return found;
}

async function callerOf(ports: ApiPorts, request: ApiRequest, scope: Scope): Promise<Caller> {
	const secret = /^Bearer\s+(\S{1,200})$/i.exec(request.headers.authorization ?? "")?.[1] ?? request.headers["x-api-key"];
	const key = secret ? await ports.findKey(hashOf(secret)) : null;
	// By key only where it is one: whoever makes keys up counts by where they come from.
	ports.throttle?.(key ? `key ${key.id}` : `address ${request.address}`);
	if (secret) {
		if (!key) throw new Problem("unauthorized");
		if (!key.scopes.includes(scope)) throw new Problem("forbidden");
		return { key, party: key.owner };
	}
	if (!ports.isOpen) throw new Problem("unauthorized");
	// A page of another site must not order on this laptop while its owner reads it.
	const { origin } = request.headers;
	if (origin !== undefined && !ports.isOwnOrigin?.(origin)) throw new Problem("foreign-origin");
	return { key: null, party: { id: null, name: "me" } };
}

/** How a key's secret is kept and looked up. It is 32 random bytes, so one round is enough. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

/** Keys are sent on purpose, never by a browser alone, so any page may use one; nothing here goes by cookie. */
function corsOf(ports: ApiPorts, { headers }: ApiRequest): Record<string, string> {
	const { origin } = headers;
	if (origin === undefined) return {};
	if (
		ports.isOpen &&
		!ports.isOwnOrigin?.(origin) &&
		!headers.authorization &&
		!headers["x-api-key"] &&
		!headers["access-control-request-headers"]
	)
		return { vary: "origin" };
	return {
		vary: "origin",
		"access-control-allow-origin": origin,
		"access-control-allow-methods": "GET, POST, OPTIONS",
		"access-control-allow-headers": "authorization, content-type, idempotency-key, traceparent, x-api-key",
		"access-control-expose-headers": "idempotency-replayed, link, location, retry-after",
		"access-control-max-age": preflightAge,
	};
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return "";
	}
}
