import type { IncomingMessage } from "node:http";
import type { Request, Response } from "express";
import type { Auth } from "../auth/index.server.ts";
import type { Chat } from "../chat/index.server.ts";
import { isLanguage } from "../contract/language.ts";
import { type Rate, rates } from "../contract/limits.ts";
import { refuse } from "../contract/refusals.ts";

type Given = {
	auth: Pick<Auth, "whoIs">;
	imports: NonNullable<Chat["imports"]>;
	isOwnOrigin: (request: IncomingMessage) => boolean;
	throttle: (rate: Rate, key: string) => void;
	receive: (
		name: string,
		source: AsyncIterable<Uint8Array>,
		bytes: number,
		traceparent: string | null,
	) => Promise<{ id: string; name: string; place: string; bytes: number } | null>;
	limits: { bytes: number };
	traceparent: () => string | null;
};

/**
 * `POST /ops/imports/file?name=…` with the file as the body, from an administrator's page: it streams to where files wait, and is
 * never in memory. Answers `{ id }`, null where it is told of later. To everybody else the address does not exist.
 */
export function takeFile(given: Given) {
	return async (request: Request, response: Response): Promise<void> => {
		if (!given.isOwnOrigin(request)) throw refuse("foreign-origin");
		const session = await given.auth.whoIs(request.headers.cookie);
		if (!session?.isAdmin) throw refuse("not-found");
		given.throttle(rates.import, `import ${session.me.id}`);
		const bytes = Number(request.headers["content-length"]);
		if (!Number.isSafeInteger(bytes)) throw refuse("malformed");
		const tooLarge = () => refuse("import-too-large", { limit: Math.floor(given.limits.bytes / 1_048_576) });
		if (bytes > given.limits.bytes) throw tooLarge();
		const name = nameOf(request.query.name);
		const tp = given.traceparent();
		const file = await given.receive(name, request, bytes, tp).catch((error: { code?: unknown }) => {
			throw error.code === "too-large" ? tooLarge() : error;
		});
		const { language } = session;
		if (file) await given.imports.arrived({ ...file, tp, ...(isLanguage(language) ? { language } : {}) });
		response.status(202).json({ id: file?.id ?? null });
	};
}

/** A name fit for a key and a path: its last part alone. */
function nameOf(given: unknown): string {
	const name = typeof given === "string" ? given.toWellFormed().normalize("NFC") : "";
	const last = name.split(/[/\\]/).at(-1) ?? "";
	return (
		last
			.replace(/[\p{C}\s]+/gu, " ")
			.trim()
			.slice(0, 150) || "file.json"
	);
}
