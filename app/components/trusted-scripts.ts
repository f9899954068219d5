/**
 * The page's default Trusted Types policy: React may make its own script elements, and scripts come from our own origin or
 * one of `origins`. Remix loads a route's module by the address its own manifest names; 'strict-dynamic' guards what may ask.
 *
 * Whoever asks first makes it, and it stands alone: where pages carry New Relic's agent, the server writes this function into
 * them as text (entry.server.tsx), since the agent loads the rest of itself before our own scripts may be there.
 */
export function trustScripts(origins: readonly string[]): void {
	const { trustedTypes } = window;
	if (!trustedTypes || trustedTypes.defaultPolicy) return;
	trustedTypes.createPolicy("default", {
		// What React sets to make a script element it must render. Nothing else may become HTML this way.
		createHTML: (html) => (html === "<script></script>" ? html : ""),
		createScriptURL: (url) => ([location.origin, ...origins].includes(new URL(url, location.href).origin) ? url : ""),
	});
}
