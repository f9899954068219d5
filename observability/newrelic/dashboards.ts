import { round } from "../alarms.ts";
import { browserServiceName, type SloName, slos } from "../contract.ts";
import { ours, type Target } from "./target.ts";

export type Visualization = "viz.line" | "viz.stacked-bar" | "viz.billboard" | "viz.table";
export type Widget = {
	title: string;
	visualization: { id: Visualization };
	layout: { column: number; row: number; width: number; height: number };
	rawConfiguration: { nrqlQueries: { accountIds: number[]; query: string }[]; yAxisLeft?: { zero: boolean } };
};
export type Dashboard = {
	name: string;
	description: string;
	permissions: "PUBLIC_READ_WRITE";
	pages: { name: string; description: string; widgets: Widget[] }[];
};

/** What New Relic takes: of pages, widgets on one, queries in one, columns, and rows of height. */
export const limits = { pages: 20, widgets: 100, queries: 20, columns: 12, height: 32 } as const;

/** A chart before it has its place: how many of twelve columns, and one query or several. */
type Chart = { title: string; as: Visualization; width: number; ask: string | string[] };
type Rows = { height: number; charts: Chart[] }[];

/** The dashboard: what /ops shows of one process, here of all, and by version, so that a deploy is seen in it. */
export function dashboard(target: Target): Dashboard {
	const { environment } = target;
	const from = (type: string, where = "") => `FROM ${type} WHERE ${ours(target)}${where ? ` AND ${where}` : ""}`;
	const measured = from("Metric");
	const line = (title: string, width: number, ask: string | string[]): Chart => ({
		title,
		as: "viz.line",
		width,
		ask: all(ask, " TIMESERIES"),
	});
	const bars = (title: string, width: number, ask: string): Chart => ({ title, as: "viz.stacked-bar", width, ask: `${ask} TIMESERIES` });
	const table = (title: string, width: number, ask: string): Chart => ({ title, as: "viz.table", width, ask });
	const figures = (title: string, width: number, ask: string | string[]): Chart => ({ title, as: "viz.billboard", width, ask });

	const levels = Object.keys(slos) as SloName[];
	const withBudget = levels.filter((slo) => slos[slo].objective < 1);
	const share = (slo: SloName) => `(1 - sum(slo.good) / clamp_min(sum(slo.valid), 1)) / ${round(1 - slos[slo].objective)}`;

	const now: Rows = [
		{
			height: 3,
			charts: [
				figures(
					"Budget left of 28 days, %",
					12,
					withBudget.map((slo) => `SELECT (1 - ${share(slo)}) * 100 AS '${slo}' ${from("Metric", `slo = '${slo}'`)} SINCE 28 days ago`),
				),
			],
		},
		{
			height: 3,
			charts: [
				line(
					"How many times too fast the budget goes",
					8,
					withBudget.map((slo) => `SELECT ${share(slo)} AS '${slo}' ${from("Metric", `slo = '${slo}'`)}`),
				),
				figures(
					"Facts that were not delivered in order",
					4,
					`SELECT sum(slo.valid) - sum(slo.good) AS 'lost' ${from("Metric", "slo = 'loss'")}`,
				),
			],
		},
		{
			height: 3,
			charts: [
				bars("Messages a minute, by outcome", 4, `SELECT rate(sum(chat.message.sent), 1 minute) ${measured} FACET outcome`),
				line(
					"Sending, p99, by version, s",
					4,
					`SELECT percentile(chat.rpc.duration, 99) ${from("Metric", "rpc.method = 'message.send'")} FACET service.version`,
				),
				bars("What fails, by kind", 4, `SELECT sum(chat.message.sent) ${from("Metric", "outcome = 'failed'")} FACET error.type`),
			],
		},
		{
			height: 4,
			charts: [
				table(
					"Errors by kind and version",
					6,
					`SELECT count(*), uniqueCount(user_id) AS 'people', latest(reference) ${from("Log", "level = 'error'")} FACET event, error_type, service.version LIMIT 50`,
				),
				table(
					"What runs where",
					6,
					`SELECT latest(chat.user.online) AS 'people', latest(nodejs.eventloop.utilization) AS 'event loop', latest(process.memory.usage) / 1000000 AS 'MB' ${measured} FACET service.instance.id, service.version LIMIT 50`,
				),
			],
		},
	];

	const journey: Rows = [
		{
			height: 4,
			charts: [
				bars("Where the time goes, p50 of each hop, s", 6, `SELECT percentile(chat.message.stage.duration, 50) ${measured} FACET stage`),
				line("The slow ones, p99 of each hop, s", 6, `SELECT percentile(chat.message.stage.duration, 99) ${measured} FACET stage`),
			],
		},
		{
			height: 3,
			charts: [
				line("Until it arrives, s", 4, `SELECT percentile(chat.message.delivery.duration, 50, 99) ${measured} FACET hop`),
				line(
					"Until it is seen, s",
					4,
					`SELECT percentile(chat.message.render.duration, 50, 99) ${from("Metric", "document.visibility = 'visible'")}`,
				),
				line("Recipients of a message", 4, `SELECT average(chat.message.fanout), max(chat.message.fanout) ${measured}`),
			],
		},
		{
			height: 4,
			charts: [
				table(
					"Slow messages: open the trace",
					6,
					`SELECT message_id, trace.id, duration_ms, t_validate_ms, t_persist_ms, t_publish_ms, recipients, room_kind ${from("Log", "event = 'message.sent' AND duration_ms > 300")} LIMIT 50`,
				),
				table(
					"Examples of what breaks a service level",
					6,
					`SELECT metric, value, message_id, trace.id ${from("Log", "event = 'slo.exemplar'")} LIMIT 50`,
				),
			],
		},
		{
			height: 3,
			charts: [
				line("Calls of the socket, p99, s", 4, `SELECT percentile(chat.rpc.duration, 99) ${measured} FACET rpc.method`),
				line("Pages, p99 by route, s", 4, `SELECT percentile(http.server.request.duration, 99) ${measured} FACET http.route`),
				line("Web vitals, p75", 4, `SELECT percentile(chat.web_vital, 75) ${measured} FACET browser.web_vital.name`),
			],
		},
	];

	const sockets: Rows = [
		{
			height: 3,
			charts: [
				line(
					"Open sockets, by instance and transport",
					6,
					`SELECT latest(chat.socket.active) ${measured} FACET service.instance.id, chat.socket.transport`,
				),
				bars("Disconnects by reason", 6, `SELECT sum(chat.socket.disconnects) ${measured} FACET chat.disconnect.reason`),
			],
		},
		{
			height: 3,
			charts: [
				line("Getting in, p99, s", 4, `SELECT percentile(chat.socket.connect.duration, 99) ${measured} FACET outcome`),
				line("Getting back, p99, s", 4, `SELECT percentile(chat.reconnect.duration, 99) ${measured} FACET outcome`),
				bars("Upgrades to websocket", 4, `SELECT sum(chat.socket.upgrade) ${measured} FACET outcome`),
			],
		},
		{
			height: 3,
			charts: [
				line("Bytes that wait for slow readers", 4, `SELECT latest(chat.socket.send_buffer) ${measured} FACET service.instance.id`),
				line("Heard from other instances, p99, s", 4, `SELECT percentile(chat.adapter.lag, 99) ${measured} FACET chat.adapter`),
				bars("Refused as too fast, by rule", 4, `SELECT sum(chat.ratelimit.hits) ${measured} FACET rule`),
			],
		},
		{
			height: 4,
			charts: [
				table(
					"Who loses their connection",
					12,
					`SELECT count(*), average(conn_seconds) ${from("Log", "event = 'socket.disconnected'")} FACET disconnect_reason, transport, user_id LIMIT 50`,
				),
			],
		},
	];

	const saturation: Rows = [
		{
			height: 3,
			charts: [
				line("Event loop, 1 is full", 4, `SELECT max(nodejs.eventloop.utilization) ${measured} FACET service.instance.id`),
				line("How late timers run, p99, s", 4, `SELECT max(nodejs.eventloop.delay.p99) ${measured} FACET service.instance.id`),
				line("CPU, of one core", 4, `SELECT max(process.cpu.utilization) ${measured} FACET service.instance.id`),
			],
		},
		{
			height: 3,
			charts: [
				line("Memory, MB", 4, `SELECT max(process.memory.usage) / 1000000 ${measured} FACET service.instance.id`),
				line("Database connections", 4, `SELECT latest(db.client.connection.count) ${measured} FACET db.client.connection.state`),
				line("Waiting for one", 4, `SELECT max(db.client.connection.pending_requests) ${measured} FACET service.instance.id`),
			],
		},
		{
			height: 3,
			charts: [
				line(
					"Collecting garbage, s a minute",
					4,
					`SELECT rate(sum(v8js.gc.duration), 1 minute) ${measured} FACET service.instance.id, v8js.gc.type`,
				),
				line(
					"Waited for a database connection, p99, s",
					4,
					`SELECT percentile(db.client.connection.wait_time, 99) ${measured} FACET service.instance.id`,
				),
				line("Open files and connections", 4, `SELECT max(process.unix.file_descriptor.count) ${measured} FACET service.instance.id`),
			],
		},
		{
			height: 3,
			charts: [
				line(
					"Statements, p99, s",
					6,
					`SELECT percentile(db.client.operation.duration, 99) ${measured} FACET db.operation.name, db.collection.name`,
				),
				table(
					"Slow statements",
					6,
					`SELECT count(*), max(duration_ms) ${from("Log", "event = 'db.slow_query'")} FACET statement, summary LIMIT 50`,
				),
			],
		},
	];

	const trust: Rows = [
		{
			height: 3,
			charts: [
				bars("Telemetry lost, by signal and reason", 6, `SELECT sum(telemetry.dropped) ${measured} FACET signal, reason`),
				bars("Log lines lost", 6, `SELECT sum(log.dropped) ${measured} FACET reason`),
			],
		},
		{
			height: 4,
			charts: [
				line("Signs of life", 4, `SELECT count(*) ${from("Log", "event = 'service.heartbeat'")} FACET service.instance.id`),
				table(
					"What telemetry says of itself",
					4,
					`SELECT count(*), latest(reason) ${from("Log", "event IN ('log.ship_failed', 'log.dropped', 'log.field_rejected')")} FACET event`,
				),
				table(
					"What New Relic could not take",
					4,
					"SELECT count(*), latest(message) FROM NrIntegrationError FACET category, newRelicFeature LIMIT 20",
				),
			],
		},
	];

	const page = (name: string, description: string, rows: Rows) => ({ name, description, widgets: laidOut(rows, target.accountId) });
	return {
		name: `Charla (${environment})`,
		description: `Generated from observability/contract.ts; a change by hand lasts until the next push. Browsers report to the server, as ${browserServiceName}.`,
		permissions: "PUBLIC_READ_WRITE",
		pages: [
			page("Now", "Can people talk, how much budget is left, and since which version", now),
			page("Journey", "Each hop of a message, from the click to the screen", journey),
			page("Sockets", "Who is connected, who is not, and why", sockets),
			page("Saturation", "What fills up before people notice", saturation),
			page("Trust", "Whether what you see is all there is", trust),
		],
	};
}

const all = (ask: string | string[], end: string): string[] => [ask].flat().map((query) => query + end);

/** Puts rows below one another; the charts of a row share its height. */
function laidOut(rows: Rows, accountId: number): Widget[] {
	const widgets: Widget[] = [];
	let row = 1;
	for (const { height, charts } of rows) {
		let column = 1;
		for (const { title, as, width, ask } of charts) {
			widgets.push({
				title,
				visualization: { id: as },
				layout: { column, row, width, height },
				rawConfiguration: {
					nrqlQueries: [ask].flat().map((query) => ({ accountIds: [accountId], query })),
					...(as === "viz.line" ? { yAxisLeft: { zero: true } } : {}),
				},
			});
			column += width;
		}
		row += height;
	}
	return widgets;
}
