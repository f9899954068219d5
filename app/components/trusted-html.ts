// One policy per page, also when development loads this module anew.
const kept = globalThis as { charlaHtml?: TrustedTypePolicyLike };

/**
 * HTML of a message body as the page's policy wants it: the `charla-html` Trusted Types policy where the browser has them,
 * else the string itself. Only for HTML the server has sanitised.
 */
export function trustedHtml(html: string): string {
	if (typeof window === "undefined" || !window.trustedTypes) return html;
	kept.charlaHtml ??= window.trustedTypes.createPolicy("charla-html", { createHTML: (given) => given });
	// React hands it to innerHTML untouched, so its type may say string.
	return kept.charlaHtml.createHTML(html) as string;
}
