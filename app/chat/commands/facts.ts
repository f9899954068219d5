import CircuitBreaker from "opossum";
import * as v from "valibot";
import { body } from "../../contract/calls.ts";
import type { Language } from "../../contract/language.ts";
import { bundledFacts } from "./bundled-facts.ts";

/** One fact, and where it came from. */
export type Fact = { text: string; source: "api" | "bundled" };
export type AskFact = (language: Language) => Promise<Fact>;

// A message like any other: what PostgreSQL could not store would fail everybody's who wrote in the same moment.
const answerShape = v.object({ value: v.pipe(body, v.maxLength(1000)) });

/**
 * Facts from the public API, or from the bundled ones when it is slow (2 s), broken, or was so lately: after half of the
 * recent calls failed the breaker leaves the API alone for 30 s. Never throws. The API speaks English only, so Spanish
 * is always answered from the bundle. `url` null means never to ask.
 */
export function openFacts(url: string | null, random: () => number = Math.random): AskFact {
	const ask = async (): Promise<string> => {
		const response = await fetch(url as string, {
			signal: AbortSignal.timeout(2000),
			redirect: "error",
			headers: { accept: "application/json" },
		});
		if (!response.ok) throw new Error(`fact API answered ${response.status}`);
		return v.parse(answerShape, await response.json()).value;
	};
	const breaker = url
		? new CircuitBreaker(ask, {
				timeout: 2500,
				errorThresholdPercentage: 50,
				volumeThreshold: 3,
				rollingCountTimeout: 30_000,
				resetTimeout: 30_000,
			})
		: null;
	return async (language) => {
		if (breaker && language === "en") {
			try {
				return { text: await breaker.fire(), source: "api" };
			} catch {
				// Offline, slow or broken: the bundle answers.
			}
		}
		const facts = bundledFacts[language];
		return { text: facts[Math.floor(random() * facts.length)] as string, source: "bundled" };
	};
}
