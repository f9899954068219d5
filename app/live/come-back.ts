/**
 * Asks to come back as the person who left in this browser. Whether it worked shows when the connection is tried again,
 * as it also does when they entered again in another tab. Never throws: without a network nothing changes.
 */
export async function comeBack(): Promise<void> {
	try {
		// The first screen's own form. Where it leads to is of no interest: this page stays.
		await fetch("/?index", { method: "POST", body: new URLSearchParams({ intent: "return" }), redirect: "manual" });
	} catch {
		// The connection will say so.
	}
}
