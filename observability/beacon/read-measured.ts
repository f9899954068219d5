import type { Measured } from "../browser/body.ts";
import { pageRoutes } from "../browser/route.ts";
import { attributes } from "../contract.ts";
import { isRecord } from "./read-span.ts";

type Vital = (typeof attributes)["browser.web_vital.name"]["values"][number];
type Rating = (typeof attributes)["browser.web_vital.rating"]["values"][number];
/** A number a browser claims, with all that varies in it bounded. */
export type Claim = Exclude<Measured, { name: "vital" }> | (Extract<Measured, { name: "vital" }> & { vital: Vital; rating: Rating });

/** What is longer, ms, is a clock that was set or a page that slept: it counts as this long. */
const longest = 600_000;
/** A report stands for at most so many: the largest room there may be, of which one in a thousand reports, ten times over. */
const heaviest = 10_000;

const vitals: readonly unknown[] = attributes["browser.web_vital.name"].values;
const ratings: readonly unknown[] = attributes["browser.web_vital.rating"].values;
const routes: readonly unknown[] = pageRoutes;

/** Reads one of `Measured`; null when it is none. Outliers are cut to what may be, rather than let through. */
export function readMeasured(given: unknown): Claim | null {
	if (!isRecord(given)) return null;
	const { name, ms, stage, hop, ok, vital, value, rating, route, type, count } = given;
	const trace = typeof given.trace === "string" && /^(?!0{32})[0-9a-f]{32}$/.test(given.trace) ? given.trace : null;
	const weight = within(given.weight, 1, heaviest);
	const time = within(ms, 0, longest);
	const part = within(stage, 0, longest);
	switch (name) {
		case "sent":
			return time === null || !trace ? null : { name, ms: time, trace };
		case "unsent":
			return trace ? { name, trace } : null;
		case "delivered":
			if (time === null || part === null || weight === null || !trace || (hop !== "local" && hop !== "remote")) return null;
			return { name, ms: time, stage: part, hop, weight, trace };
		case "painted":
			if ((time === null && ms !== null) || part === null || weight === null || !trace) return null;
			return { name, ms: time, stage: part, weight, trace };
		case "reconnect":
			return time === null || !trace || typeof ok !== "boolean" ? null : { name, ms: time, ok, trace };
		case "vital": {
			const amount = within(value, 0, longest);
			if (amount === null || !vitals.includes(vital) || !ratings.includes(rating) || !routes.includes(route)) return null;
			return { name, vital: vital as Vital, value: amount, rating: rating as Rating, route: route as string };
		}
		case "error":
			if (typeof type !== "string" || !/^[A-Z]\w{0,39}$/.test(type) || !routes.includes(route)) return null;
			return { name, type, route: route as string };
		case "dropped": {
			const amount = within(count, 1, heaviest);
			return amount === null ? null : { name, count: Math.round(amount) };
		}
		default:
			return null;
	}
}

function within(given: unknown, least: number, most: number): number | null {
	return typeof given === "number" && !Number.isNaN(given) ? Math.min(Math.max(given, least), most) : null;
}
