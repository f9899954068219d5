/** Where storage tells what happens to it: an event of the telemetry contract and its fields. */
export type Log = {
	info(event: string, fields?: Record<string, unknown>): void;
	warn(event: string, fields?: Record<string, unknown>): void;
	error(event: string, fields?: Record<string, unknown>): void;
};
