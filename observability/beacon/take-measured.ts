import { messageIdOf } from "../../app/contract/envelope.ts";
import { type SloName, slos } from "../contract.ts";
import { count, countSlo, record } from "../instruments.ts";
import type { Allowance } from "./allowance.ts";
import type { Claim } from "./read-measured.ts";

type Log = Record<"debug" | "warn", (event: string, fields?: Record<string, unknown>) => void>;

/**
 * Turns what a browser measured into metrics and service level events, as far as the person's allowance goes. Gives how many
 * of them went beyond it.
 */
export function takeMeasured(
	claims: readonly Claim[],
	given: { allowance: Allowance; log: Log; userId: string; build: string | null },
): number {
	const { allowance, log } = given;
	let beyond = 0;
	for (const claim of claims) {
		const weight = claim.name === "delivered" || claim.name === "painted" ? claim.weight : 1;
		if (allowance.event(weight)) take(claim);
		else beyond++;
	}
	return beyond;

	function take(claim: Claim): void {
		switch (claim.name) {
			case "sent":
				return level("send-latency", claim.ms, claim.trace, claim.ms < slos["send-latency"].threshold, 1, true);
			case "unsent":
				return level("send", 0, claim.trace, false, 1, true);
			case "delivered": {
				const { ms, stage, hop, trace } = claim;
				record("chat.message.delivery.duration", ms / 1000, { hop });
				record("chat.message.stage.duration", stage / 1000, { stage: "deliver" });
				log.debug("message.delivered", { message_id: messageIdOf(trace), duration_ms: ms });
				return level("delivery", ms, trace, ms < slos.delivery.threshold, claim.weight, true);
			}
			case "painted": {
				const { ms, stage, trace } = claim;
				record("chat.message.stage.duration", stage / 1000, { stage: "render" });
				if (ms === null) return;
				record("chat.message.render.duration", ms / 1000, { "document.visibility": "visible" });
				return level("render", ms, trace, ms < slos.render.threshold, claim.weight, true);
			}
			case "reconnect": {
				const { ms, ok, trace } = claim;
				record("chat.reconnect.duration", ms / 1000, { outcome: ok ? "ok" : "failed" });
				return level("reconnect", ms, trace, ok && ms < slos.reconnect.threshold, 1, false);
			}
			case "vital": {
				const { vital, value, rating, route } = claim;
				record("chat.web_vital", value, { "browser.web_vital.name": vital, "http.route": route, "browser.web_vital.rating": rating });
				if (allowance.line()) log.debug("client.web_vital", { name: vital, value: Math.round(value * 1000) / 1000, rating, route });
				if (vital === "lcp") countSlo("page", value <= slos.page.threshold);
				return;
			}
			case "error":
				if (allowance.line())
					log.warn("client.error", {
						exception_type: claim.type,
						route: claim.route,
						user_id: given.userId,
						...(given.build ? { build: given.build } : {}),
					});
				return;
			case "dropped":
				return count("telemetry.dropped", claim.count, { signal: "beacon", reason: "queue-full" });
		}
	}

	function level(slo: SloName, value: number, traceId: string, isGood: boolean, weight: number, isMessage: boolean): void {
		// Of a message the trace id is its own id, by which people find it.
		countSlo(slo, isGood, { value, traceId, ...(isMessage ? { messageId: messageIdOf(traceId) } : {}) }, Math.round(weight));
	}
}
