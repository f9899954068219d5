import { type AppLoadContext, data } from "@remix-run/node";
import type { Ops } from "../contract/ops.ts";
import type { Person } from "../contract/shapes.ts";
import { deskWordsFor } from "../words/desk.server.ts";
import { opsWordsFor } from "../words/ops.server.ts";
import { loading } from "./answers.server.ts";
import { preferencesOf } from "./preferences.server.ts";

/** What operators may see; to everybody else these pages do not exist. Null when telemetry is off. */
export async function operators(context: AppLoadContext): Promise<Ops | null> {
	await administrator(context);
	return context.ops;
}

/** The administrator asking; to everybody else these pages do not exist. */
export async function administrator(context: AppLoadContext): Promise<Person> {
	const session = await loading(context, "/ops", () => context.session());
	if (session?.isAdmin) return session.me;
	throw data({ code: "not-found", reference: context.requestId }, { status: 404 });
}

/** The same, where there is nothing to show without telemetry. */
export async function running(context: AppLoadContext): Promise<Ops> {
	const ops = await operators(context);
	if (!ops) throw data({ code: "not-found", reference: context.requestId }, { status: 404 });
	return ops;
}

/** The words of the activity and import pages. */
export const deskWords = (request: Request) => deskWordsFor(preferencesOf(request).language);

/** The words of the operators' pages: they come with these pages only. */
export const opsWords = (request: Request) => opsWordsFor(preferencesOf(request).language);
