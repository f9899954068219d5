import type NewRelic from "newrelic";

/** What goes into a page so that New Relic's agent watches it, and what the page's policy has to allow for it. */
export type PageHeader = {
	/** JavaScript, without its element. */
	script: string;
	/** Origins it reports to. */
	reportsTo: string[];
	/** Origins it loads the rest of itself from. */
	loadsFrom: string[];
};

/** Where New Relic keeps its scripts: the loader it hands out asks for the rest there. */
const scripts = "https://js-agent.newrelic.com";

/**
 * What it must not do, whatever is switched on in New Relic: keep anything in the browser, write headers on our requests, or
 * send what people see, type, click or are told by an error. What is left is that a page was loaded, and how long that took.
 */
const never = {
	privacy: { cookies_enabled: false },
	distributed_tracing: { enabled: false },
	session_replay: { enabled: false },
	session_trace: { enabled: false },
	jserrors: { enabled: false },
	ajax: { enabled: false },
	logging: { enabled: false },
	generic_events: { enabled: false },
	user_actions: { enabled: false },
	page_action: { enabled: false },
	spa: { enabled: false },
	soft_navigations: { enabled: false },
	performance: { capture_marks: false, capture_measures: false, resources: { enabled: false } },
	feature_flags: [],
};

/** New Relic's loader sets its settings itself: whatever it sets, ours stay in place. */
const settings = `(function(o){var s=o;window.NREUM||(NREUM={});Object.defineProperty(NREUM,"init",{enumerable:true,get:function(){return s},set:function(g){s=Object.assign({},g,o)}})})(${JSON.stringify(never)});`;

/**
 * The header as New Relic's agent makes it once it has connected; null before, and where New Relic hands none out (no browser
 * application, or it is switched off there). Never throws.
 */
export function pageHeaderOf(api: typeof NewRelic): PageHeader | null {
	try {
		const given = api.agent?.config?.browser_monitoring;
		const reportsTo = [...new Set([given?.beacon, given?.error_beacon])].filter((host) => host !== undefined);
		// They become part of a header of ours.
		if (reportsTo.length === 0 || !reportsTo.every((host) => /^[a-z0-9.-]+(:\d{1,5})?$/.test(host))) return null;
		const made = api.getBrowserTimingHeader({ hasToRemoveScriptWrapper: true, allowTransactionlessInjection: true });
		// Without anything to give it is a comment that says why, by a number.
		if (made === "" || made.startsWith("<!--")) return null;
		return { script: settings + made, reportsTo: reportsTo.map((host) => `https://${host}`), loadsFrom: [scripts] };
	} catch {
		return null;
	}
}
