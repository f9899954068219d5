/** A question asked of CloudWatch Logs Insights; deployed as a saved query. */
export type SavedQuery = {
	name: string;
	description: string;
	/** Which of our log groups it asks: the last part of their names; "functions" are those of all functions. */
	groups: readonly ("app" | "audit" | "access" | "functions")[];
	query: string;
};

/** Stands where an operator puts the id they look for. */
export const placeholder = "PASTE-ID-HERE";

/** What an operator asks first. Fields and events are those of the contract; a test holds them to it. */
export const savedQueries: readonly SavedQuery[] = [
	{
		name: "Message journey",
		description: "Everything all instances wrote about one message, by its id.",
		groups: ["app"],
		query: `fields ts, event, instance, outcome, duration_ms, t_validate_ms, t_persist_ms, t_publish_ms, recipients, trace_id
| filter message_id = "${placeholder}"
| sort ts asc`,
	},
	{
		name: "Trace",
		description: "The lines of one trace, in order. A reference people quote is the beginning of the trace id.",
		groups: ["app", "audit", "access"],
		query: `fields @timestamp, level, event, msg, instance, @logStream
| filter trace_id like /^${placeholder}/
| sort @timestamp asc`,
	},
	{
		name: "A person's last hour",
		description: "What one person did and met, by their user id.",
		groups: ["app", "audit"],
		query: `fields ts, event, outcome, error_code, error_type, room_id, disconnect_reason, reference
| filter user_id = "${placeholder}"
| sort ts desc
| limit 200`,
	},
	{
		name: "Errors by kind and version",
		description: "What fails, how often, for how many people, and since which version.",
		groups: ["app"],
		query: `filter level = "error"
| stats count(*) as times, count_distinct(user_id) as people, latest(reference) as example by event, error_type, exception_type, version
| sort times desc`,
	},
	{
		name: "Slow messages",
		description: "Messages that took the server more than 300 ms, and where the time went.",
		groups: ["app"],
		query: `filter event = "message.sent" and duration_ms > 300
| stats count(*) as slow, pct(duration_ms, 99) as p99, avg(t_validate_ms) as validated, avg(t_persist_ms) as stored, avg(t_publish_ms) as announced by bin(5m), instance`,
	},
	{
		name: "Reconnect storm",
		description: "Who is disconnected, why and from which instance, by the minute.",
		groups: ["app"],
		query: `filter event = "socket.disconnected"
| stats count(*) as ended, avg(conn_seconds) as seconds by disconnect_reason, transport, instance, bin(1m)
| sort ended desc`,
	},
	{
		name: "Did the deploy do it",
		description: "Messages and those that failed, by version.",
		groups: ["app"],
		query: `filter event in ["message.sent", "message.failed"]
| fields strcontains(event, "failed") as isFailed
| stats count(*) as messages, avg(isFailed) as failing, pct(duration_ms, 99) as p99 by version, bin(5m)`,
	},
	{
		name: "Abuse",
		description: "Who is refused as too fast, and entering that was refused.",
		groups: ["app", "audit"],
		query: `filter event in ["ratelimit.hit", "auth.login.failed"]
| stats count(*) as times by event, rule, error_code, user_id
| sort times desc
| limit 20`,
	},
	{
		name: "Database and jobs in trouble",
		description: "Slow statements, lost connections and jobs that failed.",
		groups: ["app"],
		query: `filter event in ["db.slow_query", "db.connection_lost", "db.server_lost", "db.server_down", "job.failed", "message.gap_open"]
| stats count(*) as times, max(duration_ms) as slowest by event, statement, job, instance, bin(5m)
| sort times desc`,
	},
	{
		name: "Functions",
		description: "What functions did and where they failed, by version; what of an event they could not take in.",
		groups: ["functions"],
		query: `filter event = "lambda.invoked"
| stats count(*) as times, pct(duration_ms, 99) as p99, sum(records_failed) as refused by function, trigger, outcome, error_type, version
| sort times desc`,
	},
	{
		name: "Telemetry that was lost",
		description: "Whether what you see is all there is.",
		groups: ["app"],
		query: `filter event in ["log.dropped", "log.field_rejected", "log.ship_failed", "telemetry.export_failed"]
| stats sum(count) as lost by event, reason, signal, instance, bin(5m)`,
	},
];
