import type { NerdGraph } from "./nerdgraph.ts";
import { serviceEntity } from "./push.ts";

/** What was deployed. `link` leads to the pipeline's run, `deployment` groups the markers of one rollout. */
export type Deployment = { version: string; deployment: string; commit?: string; link?: string; changes?: string; by?: string };

/**
 * Marks a deployment on New Relic's charts; gives the marker's id. It must be told within a day of having happened, and
 * Charla must be reporting, as exactly one entity.
 */
export async function mark(ask: NerdGraph, mode: "split" | "bridge", given: Deployment, now: () => number = Date.now): Promise<string> {
	type Marked = { changeTrackingCreateEvent: { changeTrackingEvent: { changeTrackingId: string } | null; messages?: string[] | null } };
	const { version, deployment, commit, link, changes, by = "charla" } = given;
	const answer = await ask<Marked>("changeTrackingCreateEvent", createEvent, {
		event: {
			categoryAndTypeData: {
				kind: { category: "deployment", type: "rolling" },
				categoryFields: {
					deployment: {
						version,
						...(commit ? { commit } : {}),
						...(changes ? { changelog: changes } : {}),
						...(link ? { deepLink: link } : {}),
					},
				},
			},
			entitySearch: { query: serviceEntity(mode) },
			groupId: deployment,
			shortDescription: `Charla ${version}`,
			timestamp: now(),
			user: by,
		},
	});
	const { changeTrackingEvent, messages } = answer.changeTrackingCreateEvent;
	if (!changeTrackingEvent) throw new Error(`New Relic made no marker: ${messages?.join("; ") || "without saying why"}`);
	return changeTrackingEvent.changeTrackingId;
}

const createEvent = `mutation($event: ChangeTrackingCreateEventInput!) {
	changeTrackingCreateEvent(changeTrackingEvent: $event) { changeTrackingEvent { changeTrackingId } messages } }`;
