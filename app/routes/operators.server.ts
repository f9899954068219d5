import { type AppLoadContext, data } from "@remix-run/node";
import type { Ops } from "../contract/ops.ts";
import type { Person } from "../contract/shapes.ts";
import { deskWordsFor } from "../words/desk.server.ts";
import { opsWordsFor } from "../words/ops.server.ts";
import { preferencesOf } from "./preferences.server.ts";

/** What operators may see; to everybody else these pages do not exist. Null when telemetry is off. */
export function operators(context: AppLoadContext): Ops | null {
	if (!context.me || !context.isAdmin) throw data({ code: "not-found", reference: context.requestId }, { status: 404 });
	return context.ops;
}

/** The same, where there is nothing to show without telemetry. */
export function running(context: AppLoadContext): Ops {
	const ops = operators(context);
	if (!ops) throw data({ code: "not-found", reference: context.requestId }, { status: 404 });
	return ops;
}

/** The administrator asking; to everybody else these pages do not exist. */
export function administrator(context: AppLoadContext): Person {
	operators(context);
	return context.me as Person;
}

/** The words of the activity and import pages. */
export const deskWords = (request: Request) => deskWordsFor(preferencesOf(request).language);

/** The words of the operators' pages: they come with these pages only. */
export const opsWords = (request: Request) => opsWordsFor(preferencesOf(request).language);
