import type { SloState } from "../app/contract/ops.ts";
import { type SloName, slos } from "./contract.ts";

/** Good and valid events, weighed. */
export type Tally = { good: number; valid: number };

const hour = 3600_000;
/** Windows of the burn rate, ms: those of the fastest alarm. */
export const burnShort = 300_000;
export const burnLong = hour;
/** Where nothing at all may fail (objective 1) a ratio still needs something to divide by: one in a million. */
const leastAllowed = 1e-6;

export const sloNames = Object.keys(slos) as SloName[];

/**
 * How each service level stands on this instance: events of the last hour as they were collected, and totals by the hour for as
 * long as the objective looks back. What all instances did together only CloudWatch or New Relic can say.
 */
export class SloStates {
	#recent = new Map<SloName, (Tally & { at: number })[]>();
	#hours = new Map<SloName, (Tally & { hour: number })[]>();

	/** Adds what happened since the last time. */
	add(at: number, tallies: ReadonlyMap<SloName, Tally>): void {
		for (const [slo, { good, valid }] of tallies) {
			if (good === 0 && valid === 0) continue;
			const recent = entry(this.#recent, slo);
			recent.push({ at, good, valid });
			while (recent[0] && recent[0].at <= at - burnLong) recent.shift();
			const hours = entry(this.#hours, slo);
			const now = Math.floor(at / hour);
			const last = hours.at(-1);
			if (last?.hour === now) {
				last.good += good;
				last.valid += valid;
			} else hours.push({ hour: now, good, valid });
			while (hours[0] && hours[0].hour <= now - slos[slo].days * 24) hours.shift();
		}
	}

	/** `at`: now, ms. A window in which nothing happened has no burn rate, and neither has a service level a budget then. */
	state(slo: SloName, at: number): Omit<SloState, "worst"> {
		const { title, objective, days } = slos[slo];
		const oldest = Math.floor(at / hour) - days * 24;
		const total = sum((this.#hours.get(slo) ?? []).filter((tally) => tally.hour > oldest));
		const recent = this.#recent.get(slo) ?? [];
		const allowed = Math.max(1 - objective, leastAllowed);
		const rate = (window: number) => {
			const { good, valid } = sum(recent.filter((tally) => tally.at > at - window));
			return valid === 0 ? null : rounded((valid - good) / valid / allowed);
		};
		return {
			slo,
			title,
			objective,
			...total,
			budgetLeft: total.valid === 0 ? null : rounded(1 - (total.valid - total.good) / total.valid / allowed),
			burn: { short: rate(burnShort), long: rate(burnLong) },
		};
	}
}

function entry<T>(map: Map<SloName, T[]>, slo: SloName): T[] {
	let list = map.get(slo);
	if (!list) {
		list = [];
		map.set(slo, list);
	}
	return list;
}

function sum(tallies: Tally[]): Tally {
	const total = { good: 0, valid: 0 };
	for (const { good, valid } of tallies) {
		total.good += good;
		total.valid += valid;
	}
	return total;
}

/** 1 - 0.999 is 0.0010000000000000009: without this an unspent budget would read 0.99999. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
