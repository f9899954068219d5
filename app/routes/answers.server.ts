import { type AppLoadContext, data, redirect } from "@remix-run/node";
import { asRefusal, type RefusalCode, type RefusalDetails, refusals } from "../contract/refusals.ts";
import type { Person } from "../contract/shapes.ts";

/** What a form shows when its request was refused. */
export type RefusalShown = { code: RefusalCode; details: RefusalDetails };

/** A refusal, or the database being away, as something to show; anything else is thrown on. */
function shown(error: unknown, context: AppLoadContext): RefusalShown {
	const refusal = asRefusal(error);
	if (refusal) return { code: refusal.code, details: refusal.details };
	if (context.isUnavailable(error)) return { code: "unavailable", details: {} };
	throw error;
}

/** Runs an action; a refusal becomes the form's answer (with `kept`: what the person typed) and its status. */
export async function answering<T, K extends object>(context: AppLoadContext, kept: K, run: () => Promise<T>) {
	try {
		return await run();
	} catch (error) {
		if (error instanceof Response) throw error;
		const refusal = shown(error, context);
		const { seconds } = refusal.details;
		return data(
			{ refusal, ...kept },
			{ status: refusals[refusal.code].status, headers: seconds === undefined ? {} : { "Retry-After": String(seconds) } },
		);
	}
}

/** Runs a loader; a refusal becomes the error page of its status, an unexpected error one with a reference. */
export async function loading<T>(context: AppLoadContext, path: string, run: () => Promise<T>): Promise<T> {
	try {
		return await run();
	} catch (error) {
		if (error instanceof Response) throw error;
		const refusal = asRefusal(error) ?? (context.isUnavailable(error) ? { code: "unavailable" as const } : null);
		if (refusal) throw data({ code: refusal.code, reference: context.requestId }, { status: refusals[refusal.code].status });
		throw data({ code: "failed", reference: context.report(error, { path }) }, { status: 500 });
	}
}

/** The person asking, or off to the first screen and back here afterwards. */
export function signedIn(context: AppLoadContext, request: Request): Person {
	if (context.me) return context.me;
	const { pathname, search } = new URL(request.url);
	const here = pathname.replace(/\.data$/, "") + search;
	throw redirect(here === "/rooms" ? "/" : `/?next=${encodeURIComponent(here)}`);
}
