/**
 * Turns many single requests into few statements: one run is in flight, everything that arrives meanwhile goes
 * together in the next. There is no timer, so a lone request waits for nothing.
 *
 * `run` answers in the order of its input; an `Error` in the answer rejects that request alone, a throw rejects all.
 * Measured (docs/decisions/003): 13 to 20 times the throughput of one statement per message.
 */
export function gather<In, Out>(run: (batch: In[]) => Promise<(Out | Error)[]>, cap = 500): (item: In) => Promise<Out> {
	type Waiting = { item: In; resolve: (out: Out) => void; reject: (error: unknown) => void };
	const waiting: Waiting[] = [];
	let running = false;

	async function drain(): Promise<void> {
		running = true;
		// Requests read from the sockets in this turn of the event loop go together. A microtask would not wait for them: it
		// runs between one socket and the next.
		await new Promise(setImmediate);
		while (waiting.length > 0) {
			const batch = waiting.splice(0, cap);
			try {
				const answers = await run(batch.map((w) => w.item));
				batch.forEach((w, i) => {
					const answer = answers[i] as Out | Error;
					if (answer instanceof Error) w.reject(answer);
					else w.resolve(answer);
				});
			} catch (error) {
				for (const w of batch) w.reject(error);
			}
		}
		running = false;
	}

	return (item) =>
		new Promise<Out>((resolve, reject) => {
			waiting.push({ item, resolve, reject });
			if (!running) void drain();
		});
}
