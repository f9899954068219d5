/**
 * How long to wait before attempt `n` (0 is the first), ms: 1 s growing by half up to 30 s, each spread by half either
 * way so that a thousand browsers do not come back at once. The early, jittered start is what keeps a restart short.
 */
export function backoff(attempt: number, random: number): number {
	return Math.round(Math.min(30_000, 1000 * 1.5 ** attempt) * (0.5 + random));
}

/**
 * The same for a connection that was lost. Most often one instance of several is gone, and until the load balancer has noticed, half of all
 * attempts end there: so the first comes within a second, spread over all of it, and three more half a second apart. Who is
 * still outside then has to do with more than that, and waits as `backoff` says.
 */
export function reconnectAfter(attempt: number, random: number): number {
	if (attempt === 0) return Math.round(1000 * random);
	return attempt <= 3 ? Math.round(500 * (0.5 + random)) : backoff(attempt - 3, random);
}
