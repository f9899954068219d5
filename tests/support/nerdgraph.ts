import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { receiving } from "./receiving.ts";

type Json = Record<string, unknown>;

export type Mutation = { name: string; variables: Json };
export type NerdGraphStandIn = Awaited<ReturnType<typeof startNerdGraph>>;

/** The fields New Relic's schema has for what is sent; another one is refused, as a real GraphQL server does. */
const inputs: Record<string, readonly string[]> = {
	dashboard: ["name", "description", "permissions", "pages", "variables"],
	page: ["name", "description", "guid", "widgets"],
	widget: ["id", "title", "visualization", "layout", "rawConfiguration", "configuration", "linkedEntityGuids"],
	policy: ["name", "incidentPreference"],
	condition: [
		"name",
		"description",
		"enabled",
		"runbookUrl",
		"nrql",
		"signal",
		"terms",
		"expiration",
		"violationTimeLimitSeconds",
		"titleTemplate",
	],
	signal: ["aggregationWindow", "aggregationMethod", "aggregationDelay", "aggregationTimer", "slideBy", "fillOption", "fillValue"],
	term: ["threshold", "thresholdOccurrences", "thresholdDuration", "operator", "priority"],
	expiration: ["expirationDuration", "openViolationOnExpiration", "closeViolationsOnExpiration", "ignoreOnExpectedTermination"],
	indicator: ["name", "description", "events", "objectives"],
	events: ["accountId", "validEvents", "goodEvents", "badEvents"],
	eventsUpdate: ["validEvents", "goodEvents", "badEvents"],
	marker: ["categoryAndTypeData", "customAttributes", "description", "entitySearch", "groupId", "shortDescription", "timestamp", "user"],
};

/** How many of a list come at once: small, so that asking for the next ones is needed. */
const PAGE = 7;

/**
 * Stands in for New Relic's NerdGraph, as far as the push and the marker use it. Holds what it was told, answers with the
 * fields that were asked for and no others, refuses fields the schema does not have.
 */
export async function startNerdGraph(given: { userKey: string; accountId: number; services?: { name: string; domain: "EXT" | "APM" }[] }) {
	const mutations: Mutation[] = [];
	const queries: string[] = [];
	const failing = new Map<string, string>();
	const dashboards: Json[] = [];
	const policies: Json[] = [];
	const conditions: Json[] = [];
	const indicators: Json[] = [];
	const markers: Json[] = [];
	const services = (given.services ?? []).map((service, index) => ({ ...service, guid: `SERVICE-${index}` }));
	let next = 1;
	const id = () => String(next++);

	const only = (what: string, value: unknown) => {
		for (const key of Object.keys(value as Json))
			if (!inputs[what]?.includes(key)) throw new Error(`Field '${key}' is not defined by the input of a ${what}`);
	};
	const checkDashboard = (dashboard: Json) => {
		only("dashboard", dashboard);
		for (const page of dashboard.pages as Json[]) {
			only("page", page);
			for (const widget of page.widgets as Json[]) only("widget", widget);
		}
		return dashboard;
	};
	const checkCondition = (condition: Json) => {
		only("condition", condition);
		only("signal", condition.signal);
		for (const term of (condition.terms ?? []) as Json[]) only("term", term);
		if (condition.expiration) only("expiration", condition.expiration);
		if (!condition.terms && !condition.expiration) throw new Error("At least one of terms or expiration is required");
		return condition;
	};
	const byKey = (list: Json[], key: string, value: unknown): Json => {
		const found = list.find((one) => one[key] === value);
		if (!found) throw new Error(`Not found: ${value}`);
		return found;
	};
	const withPageIds = (dashboard: Json) => ({
		...dashboard,
		pages: (dashboard.pages as Json[]).map((page) => ({
			guid: id(),
			...page,
			widgets: (page.widgets as Json[]).map((widget) => ({ id: id(), ...widget })),
		})),
	});

	const change: Record<string, (variables: Json) => unknown> = {
		dashboardCreate: ({ dashboard }) => {
			const made = { guid: `DASHBOARD-${id()}`, ...withPageIds(checkDashboard(dashboard as Json)) };
			dashboards.push(made);
			return { entityResult: made, errors: null };
		},
		dashboardUpdate: ({ guid, dashboard }) => {
			const found = byKey(dashboards, "guid", guid);
			return { entityResult: Object.assign(found, withPageIds(checkDashboard(dashboard as Json))), errors: null };
		},
		alertsPolicyCreate: ({ policy }) => {
			only("policy", policy);
			const made = { id: id(), ...(policy as Json) };
			policies.push(made);
			return made;
		},
		alertsPolicyUpdate: ({ id: known, policy }) => {
			only("policy", policy);
			return Object.assign(byKey(policies, "id", known), policy);
		},
		alertsNrqlConditionStaticCreate: ({ policyId, condition }) => {
			byKey(policies, "id", policyId);
			const made = { id: id(), policyId, ...checkCondition(condition as Json) };
			conditions.push(made);
			return made;
		},
		alertsNrqlConditionStaticUpdate: ({ id: known, condition }) =>
			Object.assign(byKey(conditions, "id", known), checkCondition(condition as Json)),
		serviceLevelCreate: ({ entityGuid, indicator }) => {
			only("indicator", indicator);
			const { events, ...rest } = indicator as { events: Json };
			only("events", events);
			if (typeof events.accountId !== "number") throw new Error("accountId is required");
			const made = { guid: `SLI-${id()}`, entityGuid, ...rest, events: { ...events, account: { id: events.accountId } } };
			indicators.push(made);
			return made;
		},
		serviceLevelUpdate: ({ guid, indicator }) => {
			only("indicator", indicator);
			const { events, ...rest } = indicator as { events: Json };
			only("eventsUpdate", events);
			const found = byKey(indicators, "guid", guid);
			return Object.assign(found, rest, { events: { ...(found.events as Json), ...events } });
		},
		changeTrackingCreateEvent: ({ event }) => {
			only("marker", event);
			const { entitySearch, timestamp } = event as { entitySearch: { query: string }; timestamp: number };
			const found = search(entitySearch.query);
			if (found.length !== 1) throw new Error(`The query must resolve to exactly one entity, it finds ${found.length}`);
			if (Math.abs(timestamp - Date.now()) > 24 * 60 * 60_000) throw new Error("The timestamp must be within 24 hours");
			const made = { changeTrackingId: `MARK-${id()}`, ...(event as Json) };
			markers.push(made);
			return { changeTrackingEvent: made, messages: [] };
		},
	};

	/** `name = 'x' AND domain = 'EXT' …`; a real search matches parts of names, so this one does. */
	function search(query: string): Json[] {
		const wanted = Object.fromEntries([...query.matchAll(/(\w+) = '?([^']*?)'?(?: AND |$)/g)].map(([, key, value]) => [key, value]));
		if (wanted.accountId && Number(wanted.accountId) !== given.accountId) return [];
		if (wanted.type === "DASHBOARD") return dashboards.filter(({ name }) => (name as string).includes(wanted.name as string));
		return services.filter(({ name, domain }) => name.includes(wanted.name as string) && domain === wanted.domain);
	}

	function paged(list: Json[], cursor: unknown) {
		const start = Number(cursor ?? 0);
		return { some: list.slice(start, start + PAGE), nextCursor: start + PAGE < list.length ? String(start + PAGE) : null };
	}

	/** Everything a query may reach; the query picks from it. */
	const reach = (variables: Json): Json => ({
		actor: {
			entitySearch: { results: { entities: variables.query ? search(variables.query as string) : [] } },
			entity: {
				...(dashboards.find(({ guid }) => guid === variables.guid) ?? {}),
				serviceLevel: { indicators: indicators.filter(({ entityGuid }) => entityGuid === variables.guid) },
			},
			account: {
				alerts: (() => {
					const criteria = (variables.criteria ?? {}) as { name?: string; policyId?: string };
					const named = policies.filter(({ name }) => (name as string).includes(criteria.name ?? ""));
					const own = conditions.filter(({ policyId }) => policyId === criteria.policyId);
					const page = paged(named, variables.cursor);
					const more = paged(own, variables.cursor);
					return {
						policiesSearch: { policies: page.some, nextCursor: page.nextCursor },
						nrqlConditionsSearch: { nrqlConditions: more.some, nextCursor: more.nextCursor },
					};
				})(),
			},
		},
	});

	const server = createServer(
		receiving((request, response, raw) => {
			const answer = (status: number, body: unknown) =>
				response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
			if (request.headers["api-key"] !== given.userKey) return answer(401, {});
			const { query, variables } = JSON.parse(String(raw)) as { query: string; variables: Json };
			const selected = selectionOf(query);
			try {
				if (!/^\s*mutation/.test(query)) {
					queries.push(query);
					return answer(200, { data: picked(reach(variables), selected) });
				}
				const [name = ""] = Object.keys(selected);
				if (variables.accountId !== undefined && variables.accountId !== given.accountId) throw new Error("Access denied to that account");
				mutations.push({ name, variables });
				const fails = failing.get(name);
				if (fails && name.startsWith("dashboard"))
					return answer(200, { data: { [name]: { entityResult: null, errors: [{ type: "INVALID_INPUT", description: fails }] } } });
				if (fails) throw new Error(fails);
				return answer(200, { data: picked({ [name]: change[name]?.(variables) }, selected) });
			} catch (error) {
				return answer(200, { data: null, errors: [{ message: (error as Error).message }] });
			}
		}),
	);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));

	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
		mutations,
		queries,
		dashboards,
		policies,
		conditions,
		indicators,
		markers,
		/** From now on that mutation is answered with this error. */
		fail: (mutation: string, message: string) => failing.set(mutation, message),
		heal: () => failing.clear(),
		async close() {
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}

type Selection = { [field: string]: Selection };

/** The fields a query asks for; arguments and the types of fragments are left out. */
function selectionOf(query: string): Selection {
	const tokens: string[] = query.replace(/\((?:[^()]|\([^()]*\))*\)/g, " ").match(/\.\.\.\s*on\s+\w+|\w+|[{}]/g) ?? [];
	let at = tokens.indexOf("{") + 1;
	const read = (): Selection => {
		const fields: Selection = {};
		while (at < tokens.length && tokens[at] !== "}") {
			const field = tokens[at++] as string;
			let inner: Selection = {};
			if (tokens[at] === "{") {
				at++;
				inner = read();
				at++;
			}
			if (field.startsWith("...")) Object.assign(fields, inner);
			else fields[field] = inner;
		}
		return fields;
	};
	return read();
}

function picked(value: unknown, selection: Selection): unknown {
	if (Array.isArray(value)) return value.map((one) => picked(one, selection));
	if (typeof value !== "object" || value === null || Object.keys(selection).length === 0) return value;
	return Object.fromEntries(Object.entries(selection).map(([field, inner]) => [field, picked((value as Json)[field] ?? null, inner)]));
}
