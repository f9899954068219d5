import {
	type AttributeName,
	burnGuard,
	burnRates,
	type EventName,
	events,
	exportedSignals,
	type MetricName,
	type SloName,
	serviceName,
	slos,
} from "./contract.ts";
import { type EmfNumber, emfDimensions, emfNamespace } from "./emf.ts";

/** page: somebody is woken. ticket: somebody looks at it within a working day. */
export type Severity = "page" | "ticket";

/**
 * What is watched, apart from any vendor. All windows and durations in seconds.
 * - burn: the budget of a service level goes `rate` times too fast over `long` and over `short`, with at least `guard` valid
 *   events in `short`.
 * - missed: a service level without a budget: more than `above` of its events were not good within `window`.
 * - level: a gauge stood above `above` for `during`.
 * - sum: a counter rose by more than `above` within `window`, in `times` windows one after the other.
 * - event: a log event was written within `window`, in `times` windows one after the other.
 * - silence: a log event that always comes did not, for `during`.
 * - canary: the synthetic conversation failed `failing` times of the last `of`, one each `every`.
 */
export type Signal =
	| { kind: "burn"; slo: SloName; rate: number; long: number; short: number; guard: number }
	| { kind: "missed"; slo: SloName; above: number; window: number }
	| { kind: "level"; metric: MetricName; where?: Where; above: number; during: number; emf: EmfNumber; emfAbove: number }
	| { kind: "sum"; metric: MetricName; where?: Where; above: number; window: number; times: number; emf: EmfNumber }
	| { kind: "event"; event: EventName; window: number; times: number }
	| { kind: "silence"; event: EventName; during: number }
	| { kind: "canary"; failing: number; of: number; every: number };
type Where = Partial<Record<AttributeName, readonly string[]>>;

export type Alarm = {
	/** Stable: what is pushed is found again by it. */
	name: string;
	title: string;
	severity: Severity;
	signal: Signal;
	/** Where the numbers come from. */
	because: string;
	/** From the root of the repository. */
	runbook: string;
};

const minute = 60;
const hour = 60 * minute;

/** Which runbook a service level's alarms lead to: those one looks into the same way share one. */
const runbookOf: Record<SloName, string> = {
	send: "sending",
	"send-latency": "sending",
	delivery: "delivery",
	render: "delivery",
	connect: "connections",
	reconnect: "connections",
	history: "history",
	page: "pages",
	http: "pages",
	loss: "loss",
};

const at = (name: string): string => `docs/runbooks/${name}.md`;

/**
 * Every alarm there is: those of the service levels, made from the contract, and those of what fills up, breaks or falls silent
 * before people notice.
 */
export const alarms: readonly Alarm[] = [...Object.keys(slos).flatMap((name) => budgetAlarms(name as SloName)), ...otherAlarms()];

function budgetAlarms(slo: SloName): Alarm[] {
	const { title, objective, days } = slos[slo];
	const budget = 1 - objective;
	if (budget === 0)
		return [
			{
				name: `${slo}-missed`,
				title: `${title}: broken`,
				severity: "ticket",
				signal: { kind: "missed", slo, above: 0, window: 5 * minute },
				because: "There is no budget: once is too often.",
				runbook: at(runbookOf[slo]),
			},
		];
	return (
		burnRates
			// Where a quarter of all events may fail, not even all of them failing burns fourteen times too fast.
			.filter(({ rate }) => rate * budget < 1)
			.map(({ name, severity, rate, long, short }) => ({
				name: `${slo}-burn-${name}`,
				title: `${title}: budget burns ${rate} times too fast`,
				severity,
				signal: { kind: "burn", slo, rate, long, short, guard: burnGuard } as const,
				because: `${round((100 * rate * long) / (days * 24 * hour))} % of ${days} days' budget within ${spoken(long)}.`,
				runbook: at(runbookOf[slo]),
			}))
	);
}

function otherAlarms(): Alarm[] {
	const broken = ["transport error", "transport close", "ping timeout", "parse error"];
	return [
		{
			name: "event-loop-full",
			title: "An instance has no time left",
			severity: "page",
			signal: {
				kind: "level",
				metric: "nodejs.eventloop.utilization",
				above: 0.95,
				during: 5 * minute,
				emf: "EventLoop",
				emfAbove: 95,
			},
			because: "At 95 % what waits takes twenty times as long as what runs.",
			runbook: at("event-loop"),
		},
		{
			name: "event-loop-busy",
			title: "An instance is busy",
			severity: "ticket",
			signal: {
				kind: "level",
				metric: "nodejs.eventloop.utilization",
				above: 0.8,
				during: 15 * minute,
				emf: "EventLoop",
				emfAbove: 80,
			},
			because: "At 80 % waiting takes four times as long as running: time to add an instance, not to get up.",
			runbook: at("event-loop"),
		},
		{
			name: "event-loop-late",
			title: "An instance answers late",
			severity: "ticket",
			signal: { kind: "level", metric: "nodejs.eventloop.delay.p99", above: 0.2, during: 5 * minute, emf: "EventLoopDelay", emfAbove: 200 },
			because: "A fifth of a second on top of everything is felt. Newcomers are turned away at a whole second (MAX_LAG_MS).",
			runbook: at("event-loop"),
		},
		{
			name: "admission-closed",
			title: "Newcomers are turned away",
			severity: "page",
			signal: { kind: "event", event: "admission.closed", window: minute, times: 3 },
			because: "Those who are here go on, but nobody else gets in: longer than an instance needs to catch its breath after a storm.",
			runbook: at("sockets"),
		},
		{
			name: "instances-apart",
			title: "Instances do not hear each other at once",
			severity: "ticket",
			signal: { kind: "event", event: "adapter.away", window: 5 * minute, times: 1 },
			because: "Nothing is lost: the database makes up for it, up to a second or two late. Redis should be brought back all the same.",
			runbook: at("instances"),
		},
		{
			name: "sockets-many",
			title: "An instance holds nearly as many sockets as it can",
			severity: "ticket",
			signal: {
				kind: "level",
				metric: "chat.socket.active",
				where: { "chat.socket.transport": ["websocket"] },
				above: 8000,
				during: 10 * minute,
				emf: "Sockets",
				emfAbove: 8000,
			},
			because: "One process takes 10,000 (MAX_SOCKETS; docs/scale.md); four fifths of that.",
			runbook: at("sockets"),
		},
		{
			name: "sockets-lost",
			title: "Many connections break at once",
			severity: "ticket",
			signal: {
				kind: "sum",
				metric: "chat.socket.disconnects",
				where: { "chat.disconnect.reason": broken },
				above: 500,
				window: 5 * minute,
				times: 1,
				emf: "Disconnects",
			},
			because: "Half of a thousand people; nobody closes a laptop in step. If they do not get back, the reconnect budget pages.",
			runbook: at("sockets"),
		},
		{
			name: "database-waiting",
			title: "Statements queue for a database connection",
			severity: "page",
			signal: {
				kind: "level",
				metric: "db.client.connection.pending_requests",
				above: 10,
				during: 3 * minute,
				emf: "DbWaiting",
				emfAbove: 10,
			},
			because: "As many waiting as there are connections (10): each waits for at least one whole statement of somebody else's.",
			runbook: at("database"),
		},
		{
			name: "telemetry-dropped",
			title: "Telemetry is being lost",
			severity: "ticket",
			signal: {
				kind: "sum",
				metric: "telemetry.dropped",
				where: { signal: exportedSignals },
				above: 0,
				window: 5 * minute,
				times: 3,
				emf: "TelemetryDropped",
			},
			because:
				"A blink is retried; a quarter of an hour of losses is not a blink. What browsers send is left out: anybody may send nonsense, and it is refused.",
			runbook: at("telemetry-lost"),
		},
		{
			name: "telemetry-export-failing",
			title: "Telemetry cannot be exported",
			severity: "ticket",
			signal: { kind: "event", event: "telemetry.export_failed", window: 5 * minute, times: 3 },
			because: "As above. With nothing arriving at New Relic only CloudWatch can tell.",
			runbook: at("telemetry-lost"),
		},
		{
			name: "log-dropped",
			title: "Log lines are being lost",
			severity: "ticket",
			signal: { kind: "sum", metric: "log.dropped", above: 0, window: 5 * minute, times: 1, emf: "LogsDropped" },
			because: "Lines are kept on disk before any is dropped: one dropped means the disk was full or not writable.",
			runbook: at("logs-lost"),
		},
		{
			name: "log-ship-failing",
			title: "CloudWatch takes no log lines",
			severity: "ticket",
			signal: { kind: "event", event: "log.ship_failed", window: 5 * minute, times: 3 },
			because: "Lines wait meanwhile; a quarter of an hour is longer than CloudWatch's usual throttling.",
			runbook: at("logs-lost"),
		},
		{
			name: "heartbeat-missing",
			title: "No instance shows a sign of life",
			severity: "page",
			signal: { kind: "silence", event: "service.heartbeat", during: 3 * minute },
			because: "One comes each minute from each instance; three in a row are no coincidence.",
			runbook: at("heartbeat"),
		},
		{
			name: "canary-failing",
			title: "The synthetic conversation fails",
			severity: "page",
			signal: { kind: "canary", failing: 2, of: 3, every: 5 * minute },
			because:
				"With few people about, nobody's failures reach the guard of the budgets: then this decides. Every five minutes: each run costs, and one a minute would cost more than the fleet.",
			runbook: at("canary"),
		},
	];
}

/** One of CloudWatch's alarms: an expression over sums of a period, compared with a number. */
export type CloudWatchAlarm = {
	name: string;
	namespace: string;
	dimensions: Record<string, string>;
	/** By the name they have in `expression`. */
	metrics: Record<string, { name: string; stat: "Sum" | "Maximum" }>;
	expression: string;
	period: number;
	evaluationPeriods: number;
	datapointsToAlarm: number;
	comparison: ">" | "<";
	threshold: number;
	missing: "breaching" | "notBreaching";
};

/** Metrics made from log lines by a filter; their names in CloudWatch. */
const filterName = (event: EventName): string =>
	`Event${event
		.split(/[._]/)
		.map((word) => word[0]?.toUpperCase() + word.slice(1))
		.join("")}`;

/** The metric filters the alarms need, for a log group of the standard class. */
export const metricFilters: readonly { name: string; pattern: string; event: EventName }[] = [
	...new Set(alarms.flatMap(({ signal }) => (signal.kind === "event" || signal.kind === "silence" ? [signal.event] : []))),
].map((event) => ({ name: filterName(event), pattern: `{ $.event = "${event}" }`, event }));

/** CloudWatch adds up no longer than a day in one period. */
const longestPeriod = 24 * hour;

/**
 * An alarm as CloudWatch has it: leaves that must all be in alarm (a composite ANDs them), or null for the canary, whose
 * success rate CloudWatch Synthetics keeps itself.
 */
export function cloudWatchAlarms(alarm: Alarm, env: string): CloudWatchAlarm[] | null {
	const { signal } = alarm;
	const base = {
		namespace: emfNamespace,
		dimensions: Object.fromEntries(emfDimensions.map((name) => [name, name === "env" ? env : serviceName])),
		comparison: ">",
		missing: "notBreaching",
	} as const;
	const leaf = (given: Pick<CloudWatchAlarm, "metrics" | "expression" | "period" | "threshold"> & { times?: number; suffix?: string }) => ({
		...base,
		name: `chat-${env}-${alarm.name}${given.suffix ?? ""}`,
		metrics: given.metrics,
		expression: given.expression,
		period: given.period,
		threshold: given.threshold,
		evaluationPeriods: given.times ?? 1,
		datapointsToAlarm: given.times ?? 1,
	});
	switch (signal.kind) {
		case "burn": {
			const { emf, objective } = slos[signal.slo];
			const metrics = { good: { name: `${emf}Good`, stat: "Sum" }, valid: { name: `${emf}Valid`, stat: "Sum" } } as const;
			return (["long", "short"] as const).map((which) => {
				const period = Math.min(signal[which], longestPeriod);
				const guard = which === "short" ? signal.guard : 1;
				return leaf({
					suffix: `-${which}`,
					metrics,
					expression: `IF(valid >= ${guard}, ((valid - good) / valid) / ${round(1 - objective)}, 0)`,
					period,
					times: Math.ceil(signal[which] / period),
					threshold: signal.rate,
				});
			});
		}
		case "missed": {
			const { emf } = slos[signal.slo];
			const metrics = { good: { name: `${emf}Good`, stat: "Sum" }, valid: { name: `${emf}Valid`, stat: "Sum" } } as const;
			return [leaf({ metrics, expression: "valid - good", period: signal.window, threshold: signal.above })];
		}
		case "level":
			return [
				leaf({
					metrics: { level: { name: signal.emf, stat: "Maximum" } },
					expression: "level",
					period: minute,
					times: signal.during / minute,
					threshold: signal.emfAbove,
				}),
			];
		case "sum":
			return [
				leaf({
					metrics: { sum: { name: signal.emf, stat: "Sum" } },
					expression: "sum",
					period: signal.window,
					times: signal.times,
					threshold: signal.above,
				}),
			];
		case "event":
			return [
				{
					...leaf({
						metrics: { lines: { name: filterName(signal.event), stat: "Sum" } },
						expression: "lines",
						period: signal.window,
						times: signal.times,
						threshold: 0,
					}),
					dimensions: {},
				},
			];
		case "silence":
			return [
				{
					...leaf({
						metrics: { lines: { name: filterName(signal.event), stat: "Sum" } },
						expression: "lines",
						period: minute,
						times: signal.during / minute,
						threshold: 1,
					}),
					dimensions: {},
					comparison: "<",
					missing: "breaching",
				},
			];
		case "canary":
			return null;
	}
}

/** What stands below an alarm when it goes off. */
export const describe = (alarm: Alarm): string =>
	`${alarm.because} ${
		alarm.signal.kind === "burn" || alarm.signal.kind === "missed"
			? `Good: ${slos[alarm.signal.slo].good}. Counted: ${slos[alarm.signal.slo].valid}.`
			: alarm.signal.kind === "event" || alarm.signal.kind === "silence"
				? `Log event ${alarm.signal.event}: ${events[alarm.signal.event].msg}.`
				: ""
	}`.trim();

/** 0.1 + 0.2 has no place in an expression people read. */
export function round(value: number): number {
	return Number(value.toPrecision(6));
}

function spoken(seconds: number): string {
	return seconds >= 24 * hour ? `${seconds / 24 / hour} days` : seconds >= hour ? `${seconds / hour} h` : `${seconds / minute} min`;
}
