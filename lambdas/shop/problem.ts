/** Everything the API says no to, with its status. The code is for programs, the sentence for whoever reads the log. */
export const problems = {
	"malformed-json": { status: 400, message: "The body is not JSON." },
	"wrong-encoding": { status: 400, message: "The body is not UTF-8." },
	invalid: { status: 422, message: "The body is JSON, but not an order; see fields." },
	"unknown-items": { status: 422, message: "These items are not in the catalogue; see items. Nothing was ordered." },
	"too-many-items": { status: 422, message: "One order has at most 100 different items. Nothing was ordered." },
	"unknown-user": { status: 422, message: "There is nobody of that name. Nothing was ordered." },
	"room-not-linked": { status: 422, message: "There is no such room, or it takes no orders from the API. Nothing was ordered." },
	"key-reused": { status: 422, message: "This Idempotency-Key was used for a different order. Nothing was ordered." },
	"invalid-key": { status: 400, message: "An Idempotency-Key has 1 to 128 printable ASCII characters." },
	"invalid-paging": { status: 400, message: "limit is a number from 1 to 200, after an item's id." },
	"not-found": { status: 404, message: "There is nothing here." },
	"method-not-allowed": { status: 405, message: "This address does not answer to that method." },
	"too-large": { status: 413, message: "The body is larger than 256 KiB." },
	"unsupported-media-type": { status: 415, message: "Send JSON in UTF-8: content-type: application/json" },
	unauthorized: { status: 401, message: "Send a key: authorization: Bearer <key>" },
	"foreign-origin": { status: 403, message: "Pages of other sites need a key." },
	forbidden: { status: 403, message: "This key does not allow that." },
	"too-fast": { status: 429, message: "Too many requests; see Retry-After." },
	"already-decided": { status: 409, message: "This order was decided already." },
	unavailable: { status: 503, message: "The shop's store does not answer right now. Try again; an Idempotency-Key makes that safe." },
	failed: { status: 500, message: "Something went wrong on our side." },
} as const;
export type ProblemCode = keyof typeof problems;

export type Field = { path: string; problem: string };
export type ProblemDetails = {
	items?: string[];
	fields?: Field[];
	user?: string;
	room?: string;
	state?: string;
	seconds?: number;
	limit?: number;
};

/** An expected no. Told apart by `name` and `code`, not by its class: the core is loaded in more than one way. */
export class Problem extends Error {
	code: ProblemCode;
	details: ProblemDetails;
	constructor(code: ProblemCode, details: ProblemDetails = {}) {
		super(problems[code].message);
		this.name = "Problem";
		this.code = code;
		this.details = details;
	}
}

/** The problem in an unknown error, or null when it is a bug. */
export function asProblem(error: unknown): Problem | null {
	const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
	return name === "Problem" && typeof code === "string" && Object.hasOwn(problems, code) ? (error as Problem) : null;
}
