import { setTimeout as sleep } from "node:timers/promises";
import { lobbyId } from "../../app/contract/fixed.ts";
import { enter } from "../../tests/support/crash-charla.ts";

/** Between two pages, ms. */
const pause = 250;
const inside = /\/assets\/[\w.-]+\.(?:js|css)/g;

export type Reading = {
	/** Pages opened, by the manifest of their build. */
	pages: Map<string, number>;
	assets: number;
	/** Assets that did not come, or not as what they are. */
	missing: string[];
	/** Of the same assets, how many an instance the load balancer chose did not have. */
	notOnInstances: number;
};

/**
 * Somebody who opens the same room again and again, as a browser does with an empty cache: the page, what it names, and what its build's
 * manifest names. `after` ends it and tells what came.
 */
export async function openReader(edge: string, balancer: string) {
	const cookie = await enter(edge, "Reader");
	const reading: Reading = { pages: new Map(), assets: 0, missing: [], notOnInstances: 0 };
	let goesOn = true;
	/** What came, if anything did. */
	async function get(url: string, headers: Record<string, string> = {}) {
		try {
			const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
			return { status: answer.status, type: answer.headers.get("content-type") ?? "", text: await answer.text() };
		} catch (error) {
			return { status: 0, type: String(error), text: "" };
		}
	}

	async function load(asset: string): Promise<string> {
		reading.assets++;
		const { status, type, text } = await get(`${edge}${asset}`);
		if (status !== 200 || !type.startsWith(asset.endsWith(".css") ? "text/css" : "text/javascript"))
			reading.missing.push(`${asset}: ${status} ${type}`);
		if ((await get(`${balancer}${asset}`)).status !== 200) reading.notOnInstances++;
		return text;
	}

	async function openPage(): Promise<void> {
		const { status, text } = await get(`${edge}/rooms/${lobbyId}`, { cookie });
		// An instance that is just being taken away: the page itself is not what is looked at here.
		if (status !== 200) return;
		const named = new Set(text.match(inside));
		const manifest = [...named].find((asset) => asset.startsWith("/assets/manifest-"));
		if (!manifest) return void reading.missing.push(`a page names no manifest among ${[...named].join(", ")}`);
		reading.pages.set(manifest, (reading.pages.get(manifest) ?? 0) + 1);
		for (const asset of (await load(manifest)).match(inside) ?? []) named.add(asset);
		named.delete(manifest);
		await Promise.all([...named].map(load));
	}

	const loop = (async () => {
		while (goesOn) {
			await openPage();
			await sleep(pause);
		}
	})();
	return {
		async after(): Promise<Reading> {
			goesOn = false;
			await loop;
			return reading;
		},
	};
}
