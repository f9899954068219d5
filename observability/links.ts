import type { OpsLinks } from "../app/contract/ops.ts";

/** Addresses with {traceId}, {messageId}, {from}, {to}, {region} and {group} in them; they live in settings, since formats change. */
export type LinkTemplates = Readonly<OpsLinks>;
/** `from` and `to` in ms since 1970; what is not known is left out. */
export type LinkValues = {
	traceId: string;
	messageId?: string | null;
	from: number;
	to: number;
	region?: string | null;
	group?: string | null;
};

/**
 * What CloudWatch's console takes for "show me these lines": its query is a value of its own notation within the fragment, in
 * which `*2f` stands for a slash and `$3D` for an equals sign.
 */
export const cloudWatchTemplate =
	"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:logs-insights$3FqueryDetail$3D~(end~'{to}~start~'{from}~timeType~'ABSOLUTE~tz~'UTC~editorString~'fields*20*40timestamp*2c*20level*2c*20event*2c*20msg*2c*20*40logStream*20*7c*20filter*20trace_id*20*3d*20*22{traceId}*22*20*7c*20sort*20*40timestamp~source~(~'{group}))";
export const newRelicTraceTemplate = "https://one.newrelic.com/distributed-tracing?trace.id={traceId}&begin={from}&end={to}";
export const newRelicLogsTemplate = "https://one.newrelic.com/logger?query=trace.id%3A%22{traceId}%22&begin={from}&end={to}";

/** Addresses made from templates. Null where there is none, or where it asks for something that is not known. */
export function linksOf(templates: LinkTemplates, values: LinkValues): OpsLinks {
	const { from, to, ...texts } = values;
	const times = { from: String(Math.floor(from)), to: String(Math.ceil(to)) };
	const isoTimes = { from: new Date(Math.floor(from)).toISOString(), to: new Date(Math.ceil(to)).toISOString() };
	return {
		newRelicTrace: fill(templates.newRelicTrace, { ...texts, ...times }, encodeURIComponent),
		newRelicLogs: fill(templates.newRelicLogs, { ...texts, ...times }, encodeURIComponent),
		cloudWatchLogs: fill(templates.cloudWatchLogs, { ...texts, ...isoTimes }, null),
	};
}

function fill(template: string | null, values: Record<string, string | null | undefined>, encode: ((text: string) => string) | null) {
	if (template === null) return null;
	let isWhole = true;
	const filled = template.replace(/\{(traceId|messageId|from|to|region|group)\}/g, (_whole, name: string, place: number) => {
		const value = values[name];
		if (value === null || value === undefined || value === "") {
			isWhole = false;
			return "";
		}
		return (encode ?? encodingAt(template.slice(0, place)))(value);
	});
	return isWhole ? filled : null;
}

/** The console's address has three notations, by what comes before: plain, a value of a query, and the name in a path. */
function encodingAt(before: string): (text: string) => string {
	if (before.includes("queryDetail")) return forQuery;
	return before.includes("#") ? forPath : encodeURIComponent;
}

/** Within queryDetail: every byte that is no letter, digit, dot, dash or underscore is `*` and its two hex digits. */
const forQuery = (text: string): string =>
	Array.from(Buffer.from(text), (byte) => {
		const char = String.fromCharCode(byte);
		return /[A-Za-z0-9._-]/.test(char) ? char : `*${byte.toString(16).padStart(2, "0")}`;
	}).join("");

/** Elsewhere in the fragment: percent-encoded twice, with `$` for each `%`: a slash is `$252F`. */
const forPath = (text: string): string => encodeURIComponent(encodeURIComponent(text)).replaceAll("%", "$");
