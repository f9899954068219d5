/** The few functions of the agent's API we use; the package has no types of its own. */
declare module "newrelic" {
	type Attributes = Record<string, string | number | boolean>;
	const newrelic: {
		noticeError(error: Error, attributes?: Attributes): void;
		/** With these options JavaScript without an element around it; a comment of HTML while there is nothing to give. */
		getBrowserTimingHeader(options: { hasToRemoveScriptWrapper: true; allowTransactionlessInjection: true }): string;
		shutdown(options: { collectPendingData?: boolean; timeout?: number }, done: (error?: Error) => void): void;
		/** Not of the documented API: absent when the agent refused to start. */
		agent?: {
			_state?: string;
			config?: { browser_monitoring?: { beacon?: string; error_beacon?: string } };
			on(event: "started" | "disconnected" | "errored", hear: () => void): void;
			healthReporter?: { setStatus(code: string): void };
		};
	};
	// biome-ignore lint/style/noDefaultExport: it is the package's.
	export default newrelic;
}
