/** New Relic's API for what is configured there. Where it is, by the region of the account. */
export const endpoints = { us: "https://api.newrelic.com/graphql", eu: "https://api.eu.newrelic.com/graphql" } as const;
export type Region = keyof typeof endpoints;

/** It is a person or a pipeline that waits, ms. */
const ANSWER_WITHIN = 30_000;

/** What New Relic said no to. `problems` are its own words. */
export class NerdGraphError extends Error {
	readonly problems: string[];
	constructor(operation: string, problems: string[]) {
		super(`${operation}: ${problems.join("; ")}`);
		this.name = "NerdGraphError";
		this.problems = problems;
	}
}

export type NerdGraph = <T>(operation: string, query: string, variables: Record<string, unknown>) => Promise<T>;

/**
 * Asks NerdGraph. Its answers are 200 whatever happened: errors stand beside the data, and those of some mutations within it.
 * Both are thrown as a NerdGraphError, and so is no answer.
 */
export function openNerdGraph(given: { url: string; userKey: string; fetch?: typeof fetch }): NerdGraph {
	return async <T>(operation: string, query: string, variables: Record<string, unknown>) => {
		let answer: { data?: Record<string, unknown> | null; errors?: { message: string }[] };
		try {
			const response = await (given.fetch ?? fetch)(given.url, {
				method: "POST",
				headers: { "content-type": "application/json", "api-key": given.userKey },
				body: JSON.stringify({ query, variables }),
				signal: AbortSignal.timeout(ANSWER_WITHIN),
			});
			if (response.status === 401 || response.status === 403)
				throw new NerdGraphError(operation, ["New Relic does not accept NEW_RELIC_USER_KEY (a user key begins with NRAK-)"]);
			if (!response.ok) throw new NerdGraphError(operation, [`HTTP ${response.status}`]);
			answer = (await response.json()) as typeof answer;
		} catch (error) {
			if (error instanceof NerdGraphError) throw error;
			// What fetch throws says only that it failed; why is its cause.
			const { cause } = error as { cause?: { code?: string; message?: string } };
			throw new NerdGraphError(operation, [cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : "no answer")]);
		}
		const problems = (answer.errors ?? []).map(({ message }) => message);
		for (const result of Object.values(answer.data ?? {}))
			for (const error of (result as { errors?: { description?: string; type?: string }[] } | null)?.errors ?? [])
				problems.push([error.type, error.description].filter(Boolean).join(": "));
		if (problems.length > 0) throw new NerdGraphError(operation, problems);
		if (!answer.data) throw new NerdGraphError(operation, ["an answer without data"]);
		return answer.data as T;
	};
}
