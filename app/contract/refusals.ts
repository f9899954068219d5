/** The closed list of refusals: an expected answer, with its HTTP status. What each says is in app/words, under "refusal." and its code. */
export const refusals = {
	malformed: 400,
	"unknown-call": 400,
	"not-signed-in": 401,
	"foreign-origin": 403,
	"not-found": 404,
	"message-not-found": 404,
	"not-yours": 403,
	"not-owner": 403,
	"owner-link-spent": 410,
	"needs-script": 422,
	"key-reused": 409,
	deleted: 409,
	empty: 422,
	"too-long": 422,
	"name-empty": 422,
	"name-too-long": 422,
	"name-invalid": 422,
	"name-taken": 409,
	"name-reserved": 409,
	"lobby-stays": 409,
	"unknown-command": 422,
	"command-incomplete": 422,
	"unknown-items": 422,
	"too-many-items": 422,
	"order-not-found": 404,
	"order-decided": 409,
	"not-decider": 403,
	"import-not-found": 404,
	"import-decided": 409,
	"import-too-large": 413,
	"nobody-by-name": 404,
	"too-fast": 429,
	"too-many-sockets": 429,
	"going-away": 503,
	busy: 503,
	unavailable: 503,
	/** Said by the page itself, when it asked and heard nothing. */
	"no-answer": 503,
	failed: 500,
} as const;

export type RefusalCode = keyof typeof refusals;
export type RefusalDetails = Record<string, string | number>;

/** An expected "no". Told apart by `code`: a class does not survive the line between server.ts and the routes' bundle. */
export class Refusal extends Error {
	code: RefusalCode;
	details: RefusalDetails;
	constructor(code: RefusalCode, details: RefusalDetails) {
		super(code);
		this.name = "Refusal";
		this.code = code;
		this.details = details;
	}
}

/** Makes the refusal to throw: `throw refuse("too-long", { limit: 4000 })`. */
export function refuse(code: RefusalCode, details: RefusalDetails = {}): Refusal {
	return new Refusal(code, details);
}

/** The refusal in an unknown error, or null when it is a bug. */
export function asRefusal(error: unknown): Refusal | null {
	const code = (error as { code?: unknown } | null)?.code;
	return typeof code === "string" && Object.hasOwn(refusals, code) && (error as Error).name === "Refusal" ? (error as Refusal) : null;
}
