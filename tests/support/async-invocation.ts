/** What AWS writes to the destination of a function that was called for S3 and failed each time. */
export type GivenUp = {
	version: "1.0";
	requestContext: { functionArn: string; condition: "RetriesExhausted"; approximateInvokeCount: number };
	requestPayload: unknown;
	responseContext: { statusCode: 200; executedVersion: "$LATEST"; functionError: "Unhandled" };
	responsePayload: { errorType: string; errorMessage: string };
};

/**
 * What AWS does between S3 and a function, for tests: the event is kept and the function called; when it throws it is called again
 * with the same event, after `again` (a minute or two in AWS), `retries` times, and what still fails goes to the destination.
 * Answers what the function answered, null when it was given up.
 */
export async function callAsync<T>(
	invoke: (event: unknown) => Promise<T>,
	event: unknown,
	given: { retries: number; again?: (failed: number) => Promise<void>; onFailure(record: GivenUp): Promise<void> },
): Promise<T | null> {
	for (let failed = 0; ; ) {
		try {
			return await invoke(structuredClone(event));
		} catch (error) {
			const { name: errorType, message: errorMessage } = error as Error;
			if (++failed <= given.retries) {
				await given.again?.(failed);
				continue;
			}
			await given.onFailure({
				version: "1.0",
				requestContext: {
					functionArn: "arn:aws:lambda:eu-west-1:123456789012:function:upload:$LATEST",
					condition: "RetriesExhausted",
					approximateInvokeCount: failed,
				},
				requestPayload: event,
				responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
				responsePayload: { errorType, errorMessage },
			});
			return null;
		}
	}
}
