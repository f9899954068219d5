import type { ApiAnswer, ApiRequest } from "./api.ts";

/** What is read of API Gateway's proxy events: 1.0 (REST API) and 2.0 (HTTP API, function URL). */
export type ProxyEvent = {
	version?: string;
	httpMethod?: string;
	path?: string;
	rawPath?: string;
	rawQueryString?: string;
	headers?: Record<string, string | undefined> | null;
	multiValueHeaders?: Record<string, string[] | undefined> | null;
	queryStringParameters?: Record<string, string | undefined> | null;
	body?: string | null;
	isBase64Encoded?: boolean;
	requestContext?: {
		stage?: string;
		requestId?: string;
		http?: { method?: string; path?: string; sourceIp?: string };
		identity?: { sourceIp?: string };
	};
};
export type ProxyAnswer = { statusCode: number; headers: Record<string, string>; body: string; isBase64Encoded: false };

/** The request in an event of either shape, or null when it is neither. */
export function readEvent(event: ProxyEvent, requestId: string): ApiRequest | null {
	if (typeof event !== "object" || event === null) return null;
	const { requestContext: context = {} } = event;
	const method = event.httpMethod ?? context.http?.method;
	const path = event.path ?? event.rawPath ?? context.http?.path;
	if (typeof method !== "string" || typeof path !== "string") return null;
	const query = event.queryStringParameters ?? (event.rawQueryString ? Object.fromEntries(new URLSearchParams(event.rawQueryString)) : {});
	return {
		method: method.toUpperCase(),
		path: withoutStage(path, context.stage),
		query,
		headers: headersOf(event),
		body: typeof event.body === "string" ? (event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body) : null,
		address: context.http?.sourceIp ?? context.identity?.sourceIp ?? "",
		requestId: context.requestId ?? requestId,
	};
}

export const toProxyAnswer = ({ status, headers, body }: ApiAnswer): ProxyAnswer => ({
	statusCode: status,
	headers,
	body,
	isBase64Encoded: false,
});

export function headersOf(event: ProxyEvent): Record<string, string | undefined> {
	const single = Object.entries(event?.headers ?? {});
	// A test invocation from the console has these alone.
	const multiple = Object.entries(event?.multiValueHeaders ?? {}).map(([name, values]) => [name, values?.join(", ")] as const);
	return Object.fromEntries([...multiple, ...single].map(([name, value]) => [name.toLowerCase(), value]));
}

/** Events of version 2.0 name the stage in the path; those of 1.0 do not. */
function withoutStage(path: string, stage: string | undefined): string {
	const bare = stage && stage !== "$default" && path.startsWith(`/${stage}/`) ? path.slice(stage.length + 1) : path;
	return bare || "/";
}
