import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { NextFunction, Request, Response } from "express";
import { tellingPath } from "../contract/telling-path.ts";
import type { PageAgent } from "../load-context.ts";

/**
 * The policy every page is sent with. Scripts run only with this answer's nonce, and HTML reaches the page only through
 * the one Trusted Types policy of the message body; `default` lets React make its own script elements and nothing else.
 * `reportsTo`: where an agent the page carries reports to. It is a script with the nonce, and may load the rest of itself.
 */
export function contentSecurityPolicy(
	nonce: string,
	origin: { host: string; secure: boolean; dev: boolean },
	reportsTo: readonly string[] = [],
): string {
	// 'self' covers same-origin web sockets in current engines; older Safari wants them named. Vite's client needs ws: too.
	const socket = `${origin.secure ? "wss" : "ws"}://${origin.host}`;
	return [
		"default-src 'none'",
		`script-src 'nonce-${nonce}' 'strict-dynamic'`,
		// Vite puts styles into the page in development; what people get is a file.
		origin.dev ? "style-src 'self' 'unsafe-inline'" : `style-src 'self' 'nonce-${nonce}'`,
		"img-src 'self' data: blob:",
		"media-src 'self' blob:",
		["connect-src 'self'", socket, ...reportsTo].join(" "),
		"font-src 'self'",
		"worker-src 'self'",
		"manifest-src 'self'",
		"form-action 'self'",
		"base-uri 'none'",
		"object-src 'none'",
		"frame-ancestors 'none'",
		...(origin.dev ? [] : ["require-trusted-types-for 'script'", "trusted-types charla-html default"]),
		"report-uri /csp-report",
		"report-to csp",
	].join("; ");
}

/** Host as the browser wrote it. Express's own parsing would drop the port. */
const hostOf = (request: IncomingMessage): string => request.headers.host ?? "";

/**
 * Whether a request comes from our own pages. Browsers say so by Sec-Fetch-Site or Origin; who sends neither is no
 * browser and carries no one else's cookie.
 */
export function openOwnOrigin(publicUrl: string | null): (request: IncomingMessage) => boolean {
	const expected = publicUrl ? new URL(publicUrl).origin : null;
	return (request) => {
		const { origin, "sec-fetch-site": site } = request.headers;
		if (origin !== undefined) {
			if (origin === "null" || !URL.canParse(origin)) return false;
			return expected ? new URL(origin).origin === expected : new URL(origin).host === hostOf(request);
		}
		return site === undefined || site === "same-origin" || site === "none";
	};
}

/** Security headers on every answer, and in `response.locals` a fresh nonce and the agent the page carries, if any. */
export function securityHeaders({
	pageAgent,
	...given
}: {
	secure: boolean;
	dev: boolean;
	pageAgent?: (() => PageAgent | null) | undefined;
}) {
	return (request: Request, response: Response, next: NextFunction): void => {
		const nonce = randomBytes(16).toString("base64");
		response.locals.nonce = nonce;
		// Never where the address holds a secret, or leads on to one: an agent tells where it is.
		const isSecret = tellingPath(request.originalUrl) === "/owner/:token" || /owner/i.test(request.originalUrl);
		const agent = isSecret ? null : (pageAgent?.() ?? null);
		response.locals.pageAgent = agent;
		const origin = { host: hostOf(request), ...given };
		response.setHeader("Content-Security-Policy", contentSecurityPolicy(nonce, origin, agent?.reportsTo));
		response.setHeader("Reporting-Endpoints", 'csp="/csp-report"');
		response.setHeader("X-Content-Type-Options", "nosniff");
		response.setHeader("Referrer-Policy", "same-origin");
		response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
		response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
		response.setHeader("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
		if (given.secure) response.setHeader("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
		next();
	};
}
