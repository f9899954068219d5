import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

/**
 * A listener that is given the whole body with its request. Whoever sends may be killed or end in the middle of a request, which
 * is nothing a receiver fails by: what came of it is left alone.
 */
export function receiving(answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => unknown) {
	return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
		const body = await buffer(request).catch(() => null);
		if (body) await answer(request, response, body);
	};
}
