import { serviceName } from "../contract.ts";
import { type Condition, conditions, policies } from "./conditions.ts";
import { type Dashboard, dashboard } from "./dashboards.ts";
import { type NerdGraph, NerdGraphError } from "./nerdgraph.ts";
import { type ServiceLevel, serviceLevels } from "./service-levels.ts";
import type { Target } from "./target.ts";

/** What the push did with one thing, or would have done. */
export type Done = { what: string; did: "created" | "updated" | "unchanged" | "stale" | "failed"; problem?: string };

export type Push = Target & {
	ask: NerdGraph;
	/** Where runbooks are read. */
	runbooks: string;
	/** The entity Charla reports as: OTLP makes one of domain EXT, the agent in bridge one of domain APM. */
	mode: "split" | "bridge";
	dryRun: boolean;
	tell: (done: Done) => void;
};

/**
 * Brings dashboard, alert policies with their conditions, and service levels to New Relic: looks each up by its name, makes
 * what is missing, changes what differs, and leaves the rest alone. Again, it changes nothing. What fails is told and does not
 * keep the rest. A condition in our policies that is none of ours is told as stale and left: somebody may have wanted it.
 */
export async function push(given: Push): Promise<Done[]> {
	const all: Done[] = [];
	const tell = (done: Done) => {
		all.push(done);
		given.tell(done);
	};
	/** Runs one thing's work; what New Relic says no to belongs to that thing alone. */
	const each = async <T>(what: string, work: () => Promise<T>): Promise<T | null> => {
		try {
			return await work();
		} catch (error) {
			if (!(error instanceof NerdGraphError)) throw error;
			tell({ what, did: "failed", problem: error.message });
			return null;
		}
	};
	const settle = async (what: string, found: unknown, wanted: unknown, make: () => Promise<unknown>, change: () => Promise<unknown>) => {
		const did = found === null ? "created" : holds(found, wanted) ? "unchanged" : "updated";
		if (!given.dryRun && did !== "unchanged") await (did === "created" ? make() : change());
		tell({ what, did });
	};

	await pushDashboard(given, each, settle);
	await pushAlerts(given, each, settle, tell);
	await pushServiceLevels(given, each, settle, tell);
	return all;
}

type Each = <T>(what: string, work: () => Promise<T>) => Promise<T | null>;
type Settle = (
	what: string,
	found: unknown,
	wanted: unknown,
	make: () => Promise<unknown>,
	change: () => Promise<unknown>,
) => Promise<void>;

async function pushDashboard({ ask, ...given }: Push, each: Each, settle: Settle): Promise<void> {
	const wanted = dashboard(given);
	const what = `dashboard ${wanted.name}`;
	await each(what, async () => {
		const guid = await findEntity(ask, `type = 'DASHBOARD' AND accountId = ${given.accountId} AND name = '${wanted.name}'`, wanted.name);
		const found = guid
			? (await ask<{ actor: { entity: Dashboard | null } }>("read dashboard", readDashboard, { guid })).actor.entity
			: null;
		await settle(
			what,
			found,
			wanted,
			() => ask("dashboardCreate", createDashboard, { accountId: given.accountId, dashboard: wanted }),
			() => ask("dashboardUpdate", updateDashboard, { guid, dashboard: wanted }),
		);
	});
}

async function pushAlerts({ ask, ...given }: Push, each: Each, settle: Settle, tell: (done: Done) => void): Promise<void> {
	const { accountId } = given;
	const wanted = conditions(given, given.runbooks);
	for (const { severity, ...policy } of policies(given)) {
		const what = `policy ${policy.name}`;
		const id = await each(what, async () => {
			const found = await findPolicy(ask, accountId, policy.name);
			let made: string | undefined;
			await settle(
				what,
				found,
				policy,
				async () => {
					const answer = await ask<{ alertsPolicyCreate: { id: string } }>("alertsPolicyCreate", createPolicy, { accountId, policy });
					made = answer.alertsPolicyCreate.id;
				},
				() => ask("alertsPolicyUpdate", updatePolicy, { accountId, id: found?.id, policy }),
			);
			return { id: found?.id ?? made };
		});
		// Without the policy its conditions have nowhere to be.
		if (!id) continue;
		const own = wanted.filter((condition) => condition.severity === severity).map(({ severity: _, ...condition }) => condition);
		const standing = await each(`conditions of ${policy.name}`, async () => (id.id ? findConditions(ask, accountId, id.id) : []));
		if (!standing) continue;
		for (const condition of own) {
			const known = standing.find(({ name }) => name === condition.name) ?? null;
			await each(`condition ${condition.name}`, () =>
				settle(
					`condition ${condition.name}`,
					known,
					condition,
					() => ask("alertsNrqlConditionStaticCreate", createCondition, { accountId, policyId: id.id, condition }),
					() => ask("alertsNrqlConditionStaticUpdate", updateCondition, { accountId, id: known?.id, condition }),
				),
			);
		}
		for (const { name } of standing)
			if (!own.some((condition) => condition.name === name)) tell({ what: `condition ${name}`, did: "stale" });
	}
}

async function pushServiceLevels({ ask, ...given }: Push, each: Each, settle: Settle, tell: (done: Done) => void): Promise<void> {
	const search = await each("service levels", async () => ({
		guid: await findEntity(ask, serviceEntity(given.mode, given.accountId), serviceName),
	}));
	if (!search) return;
	const entity = search.guid;
	if (!entity) return tell({ what: "service levels", did: "failed", problem: notReporting(given.mode) });
	const found = await each("service levels", async () => {
		const answer = await ask<{ actor: { entity: { serviceLevel: { indicators: (ServiceLevel & { guid: string })[] } } } }>(
			"read service levels",
			readServiceLevels,
			{ guid: entity },
		);
		return answer.actor.entity.serviceLevel.indicators.map((indicator) => ({
			...indicator,
			events: { ...indicator.events, accountId: (indicator.events as unknown as { account: { id: number } }).account.id },
		}));
	});
	if (!found) return;
	for (const wanted of serviceLevels(given)) {
		const known = found.find(({ name }) => name === wanted.name) ?? null;
		const what = `service level ${wanted.name}`;
		await each(what, () => {
			// The account of events is given once.
			const { accountId: _, ...events } = wanted.events;
			return settle(
				what,
				known,
				wanted,
				() => ask("serviceLevelCreate", createServiceLevel, { entityGuid: entity, indicator: wanted }),
				() => ask("serviceLevelUpdate", updateServiceLevel, { guid: known?.guid, indicator: { ...wanted, events } }),
			);
		});
	}
}

/** How New Relic finds what Charla reports as. */
export const serviceEntity = (mode: "split" | "bridge", accountId?: number): string =>
	`name = '${serviceName}' AND ${mode === "bridge" ? "domain = 'APM' AND type = 'APPLICATION'" : "domain = 'EXT' AND type = 'SERVICE'"}${
		accountId === undefined ? "" : ` AND accountId = ${accountId}`
	}`;

const notReporting = (mode: "split" | "bridge"): string =>
	`New Relic knows no service ${serviceName} yet: start Charla with NEW_RELIC_LICENSE_KEY${mode === "bridge" ? " and TELEMETRY=bridge" : ""}, wait a minute and push again`;

/** Whether everything wanted stands as wanted; what stands besides (ids, dates, defaults) is none of ours. */
function holds(found: unknown, wanted: unknown): boolean {
	if (Array.isArray(wanted))
		return Array.isArray(found) && found.length === wanted.length && wanted.every((one, index) => holds(found[index], one));
	if (typeof wanted === "object" && wanted !== null)
		return (
			typeof found === "object" &&
			found !== null &&
			Object.entries(wanted).every(([key, value]) => holds((found as Record<string, unknown>)[key], value))
		);
	return found === wanted;
}

/** The search also finds names that merely hold the words. */
async function findEntity(ask: NerdGraph, query: string, name: string): Promise<string | null> {
	type Found = { actor: { entitySearch: { results: { entities: { guid: string; name: string }[] } } } };
	const answer = await ask<Found>("entitySearch", searchEntities, { query });
	const found = answer.actor.entitySearch.results.entities.filter((entity) => entity.name === name);
	if (found.length > 1) throw new NerdGraphError("entitySearch", [`${found.length} of the name ${name}: delete all but one`]);
	return found[0]?.guid ?? null;
}

async function findPolicy(ask: NerdGraph, accountId: number, name: string) {
	type Policies = { policies: { id: string; name: string; incidentPreference: string }[]; nextCursor: string | null };
	type Found = { actor: { account: { alerts: { policiesSearch: Policies } } } };
	let cursor: string | null = null;
	do {
		const answer: Found = await ask<Found>("policiesSearch", searchPolicies, { accountId, criteria: { name }, cursor });
		const { policies: some, nextCursor } = answer.actor.account.alerts.policiesSearch;
		const found = some.find((policy) => policy.name === name);
		if (found) return found;
		cursor = nextCursor;
	} while (cursor);
	return null;
}

async function findConditions(ask: NerdGraph, accountId: number, policyId: string) {
	type Standing = Condition & { id: string };
	type Found = { actor: { account: { alerts: { nrqlConditionsSearch: { nrqlConditions: Standing[]; nextCursor: string | null } } } } };
	const all: Standing[] = [];
	let cursor: string | null = null;
	do {
		const answer: Found = await ask<Found>("nrqlConditionsSearch", searchConditions, { accountId, criteria: { policyId }, cursor });
		const { nrqlConditions, nextCursor } = answer.actor.account.alerts.nrqlConditionsSearch;
		all.push(...nrqlConditions);
		cursor = nextCursor;
	} while (cursor);
	return all;
}

const searchEntities = `query($query: String!) { actor { entitySearch(query: $query) { results { entities { guid name } } } } }`;

const widgetFields = `title visualization { id } layout { column row width height } rawConfiguration`;
const readDashboard = `query($guid: EntityGuid!) { actor { entity(guid: $guid) { guid name ... on DashboardEntity {
	description permissions pages { guid name description widgets { id ${widgetFields} } } } } } }`;
const createDashboard = `mutation($accountId: Int!, $dashboard: DashboardInput!) {
	dashboardCreate(accountId: $accountId, dashboard: $dashboard) { entityResult { guid name } errors { description type } } }`;
const updateDashboard = `mutation($guid: EntityGuid!, $dashboard: DashboardInput!) {
	dashboardUpdate(guid: $guid, dashboard: $dashboard) { entityResult { guid name } errors { description type } } }`;

const searchPolicies = `query($accountId: Int!, $criteria: AlertsPoliciesSearchCriteriaInput, $cursor: String) { actor { account(id: $accountId) {
	alerts { policiesSearch(searchCriteria: $criteria, cursor: $cursor) { nextCursor policies { id name incidentPreference } } } } } }`;
const createPolicy = `mutation($accountId: Int!, $policy: AlertsPolicyInput!) {
	alertsPolicyCreate(accountId: $accountId, policy: $policy) { id name } }`;
const updatePolicy = `mutation($accountId: Int!, $id: ID!, $policy: AlertsPolicyUpdateInput!) {
	alertsPolicyUpdate(accountId: $accountId, id: $id, policy: $policy) { id name } }`;

const conditionFields = `id name description enabled runbookUrl nrql { query }
	signal { aggregationWindow aggregationMethod aggregationDelay slideBy }
	terms { threshold thresholdOccurrences thresholdDuration operator priority }
	expiration { expirationDuration openViolationOnExpiration closeViolationsOnExpiration } violationTimeLimitSeconds`;
const searchConditions = `query($accountId: Int!, $criteria: AlertsNrqlConditionsSearchCriteriaInput, $cursor: String) { actor { account(id: $accountId) {
	alerts { nrqlConditionsSearch(searchCriteria: $criteria, cursor: $cursor) { nextCursor nrqlConditions { ${conditionFields} } } } } } }`;
const createCondition = `mutation($accountId: Int!, $policyId: ID!, $condition: AlertsNrqlConditionStaticInput!) {
	alertsNrqlConditionStaticCreate(accountId: $accountId, policyId: $policyId, condition: $condition) { id name } }`;
const updateCondition = `mutation($accountId: Int!, $id: ID!, $condition: AlertsNrqlConditionUpdateStaticInput!) {
	alertsNrqlConditionStaticUpdate(accountId: $accountId, id: $id, condition: $condition) { id name } }`;

const eventsFields = `from select { attribute function } where`;
const readServiceLevels = `query($guid: EntityGuid!) { actor { entity(guid: $guid) { serviceLevel { indicators { guid name description
	events { account { id } validEvents { ${eventsFields} } goodEvents { ${eventsFields} } }
	objectives { target timeWindow { rolling { count unit } } } } } } } }`;
const createServiceLevel = `mutation($entityGuid: EntityGuid!, $indicator: ServiceLevelIndicatorCreateInput!) {
	serviceLevelCreate(entityGuid: $entityGuid, indicator: $indicator) { guid name } }`;
const updateServiceLevel = `mutation($guid: EntityGuid!, $indicator: ServiceLevelIndicatorUpdateInput!) {
	serviceLevelUpdate(guid: $guid, indicator: $indicator) { guid name } }`;
