import { type AppLoadContext, data, redirect } from "@remix-run/node";
import { lobbyId } from "../contract/fixed.ts";
import { asRefusal, type RefusalCode, type RefusalDetails, refusals, refuse } from "../contract/refusals.ts";
import type { Person } from "../contract/shapes.ts";
import { preferencesOf } from "./preferences.server.ts";

/** What a form shows when its request was refused. */
export type RefusalShown = { code: RefusalCode; details: RefusalDetails };

/** A refusal, or the database being away, as something to show; anything else is thrown on. */
function shown(error: unknown, context: AppLoadContext): RefusalShown {
	const refusal = asRefusal(error);
	if (refusal) return { code: refusal.code, details: refusal.details };
	if (context.isUnavailable(error)) {
		const reference = context.refer(error);
		return { code: "unavailable", details: reference ? { reference } : {} };
	}
	throw error;
}

/** A form as it was sent. */
export type Sent = { request: Request; form: FormData };

/** What a page shows that cannot show the form it came from: where it goes, and everything in it. */
export type KeptForm = { to: string; fields: [string, string][] };

function keptForm({ request, form }: Sent): KeptForm {
	const url = new URL(request.url);
	url.searchParams.delete("_routes");
	const fields = [...form].filter((field): field is [string, string] => typeof field[1] === "string");
	return { to: url.pathname.replace(/\.data$/, "") + url.search, fields };
}

/**
 * The answer to a form that could not be taken, by request. Beside it the loaders of the page around it run, and one of them would
 * send people elsewhere: they give the same answer.
 */
const held = new WeakMap<AppLoadContext, unknown>();

/** Throws the answer that is held for a request. */
function giveHeld(context: AppLoadContext): void {
	if (held.has(context)) throw held.get(context);
}

/**
 * Runs an action; a refusal becomes the form's answer (with `kept`: what the person typed) and its status. Where the page around the
 * form cannot be made, as nobody is signed in or the database is away, a page answers that holds what was `sent`.
 */
export async function answering<T, K extends object>(context: AppLoadContext, kept: K, run: () => Promise<T>, sent?: Sent) {
	try {
		return await run();
	} catch (error) {
		if (error instanceof Response) throw error;
		const refusal = shown(error, context);
		const { seconds } = refusal.details;
		if (sent && (refusal.code === "not-signed-in" || refusal.code === "unavailable")) {
			const answer = data(
				{ code: refusal.code, reference: context.requestId, kept: keptForm(sent), language: preferencesOf(sent.request).language },
				{ status: refusals[refusal.code], headers: { "Cache-Control": "private, no-store" } },
			);
			held.set(context, answer);
			throw answer;
		}
		return data(
			{ refusal, ...kept },
			{ status: refusals[refusal.code], headers: seconds === undefined ? {} : { "Retry-After": String(seconds) } },
		);
	}
}

/** Runs a loader; a refusal becomes the error page of its status, an unexpected error one with a reference. */
export async function loading<T>(context: AppLoadContext, path: string, run: () => Promise<T>): Promise<T> {
	giveHeld(context);
	try {
		return await run();
	} catch (error) {
		if (error instanceof Response) throw error;
		const refusal = asRefusal(error) ?? (context.isUnavailable(error) ? refuse("unavailable") : null);
		if (refusal) {
			// A request's id finds its access line; what failed has a trace besides.
			const reference = (refusal.code === "unavailable" && context.refer(error)) || context.requestId;
			throw data({ code: refusal.code, reference, pages: refusal.details.pages }, { status: refusals[refusal.code] });
		}
		throw data({ code: "failed", reference: context.report(error, { path }) }, { status: 500 });
	}
}

/** The person who looks at a page, or off to the first screen and back here afterwards. */
export async function signedIn(context: AppLoadContext, request: Request): Promise<Person> {
	const session = await loading(context, new URL(request.url).pathname, () => context.session());
	if (session) return session.me;
	const { pathname, search } = new URL(request.url);
	const here = pathname.replace(/\.data$/, "") + search;
	throw redirect(here === "/rooms" ? "/" : `/?next=${encodeURIComponent(here)}`);
}

/** The person who sent a form. Throws `not-signed-in`: a redirect would lose what was written. */
export async function sender(context: AppLoadContext): Promise<Person> {
	const session = await context.session();
	if (!session) throw refuse("not-signed-in");
	return session.me;
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The room an address names, by its id, or the lobby by its name. Throws `not-found` for what could be neither. */
export function roomIdOf(params: { roomId?: string | undefined }): string {
	const named = (params.roomId ?? "").toLowerCase();
	if (named === "lobby") return lobbyId;
	if (!uuid.test(named)) throw refuse("not-found");
	return named;
}
