import { type Attributes, type Context, context, SpanKind, trace } from "@opentelemetry/api";
import type { Sql } from "../../app/storage/sql.ts";
import { record } from "../instruments.ts";
import type { Shared } from "./shared.ts";
import { type Ending, endingOf, markError, messageKey, now, tracer, wentWell } from "./spans.ts";

/** A statement slower than this is worth a log line, ms: a tenth of what a person waits for. */
const slow = 250;

type Statement = { operation: "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "OTHER"; table: string | undefined; summary: string };

/**
 * The database as the domain has it, with a span and a duration per statement. The lane stores many people's messages with one
 * statement, so that one's span is given to each message it stored: each trace is complete, and says how many shared it.
 */
export function recordSql(sql: Sql, shared: Shared): Sql {
	const known = new Map<string, Statement>();
	const statementOf = (name: string, text: string): Statement => {
		let statement = known.get(name);
		if (!statement) {
			statement = readStatement(text);
			known.set(name, statement);
		}
		return statement;
	};

	async function query<Row>(inner: Sql, name: string, text: string, values?: readonly unknown[]): Promise<Row[]> {
		const startedAt = now();
		let ending: Ending = wentWell;
		let failure: unknown;
		try {
			const rows = await inner.query<Row>(name, text, values);
			if (name === "lane-store") markStored(rows as { client_key: string; fresh: boolean }[]);
			return rows;
		} catch (error) {
			failure = error;
			ending = endingOf(error, shared.isUnavailable);
			throw error;
		} finally {
			const endedAt = now();
			shared.aside(() => tell(endedAt));
		}

		function tell(endedAt: number): void {
			const statement = statementOf(name, text);
			record("db.client.operation.duration", (endedAt - startedAt) / 1000, {
				"db.system.name": "postgresql",
				"db.operation.name": statement.operation,
				"db.collection.name": statement.table,
				"error.type": ending.errorType,
			});
			if (name === "lane-store") tellStored(statement, name, values?.[2] as string[], startedAt, endedAt, ending, failure);
			else tellStatement(statement, name, startedAt, endedAt, ending, failure);
			if (endedAt - startedAt > slow)
				shared.log.warn("db.slow_query", { summary: statement.summary, statement: name, duration_ms: Math.round(endedAt - startedAt) });
		}
	}

	function markStored(rows: { client_key: string; fresh: boolean }[]): void {
		for (const row of rows) {
			const recorded = shared.sending.get(row.client_key);
			if (recorded && row.fresh) recorded.isFresh = true;
		}
	}

	function tellStored(
		statement: Statement,
		name: string,
		keys: string[],
		start: number,
		end: number,
		ending: Ending,
		failure: unknown,
	): void {
		record("chat.message.stage.duration", (end - start) / 1000, { stage: "persist" });
		for (const key of keys) {
			const recorded = shared.sending.get(key);
			if (!recorded) continue;
			recorded.storingAt = start;
			recorded.committedAt = end;
			recorded.batch = keys.length;
			recorded.sqlState = sqlStateOf(failure);
			if (recorded.span)
				span(statement, name, recorded.context, { "chat.message.id": key, "chat.db.batch": keys.length }, start, end, ending, failure);
		}
	}

	/** Only as part of something that is recorded; and a message has its one statement above, whatever else it had to read. */
	function tellStatement(statement: Statement, name: string, start: number, end: number, ending: Ending, failure: unknown): void {
		const active = context.active();
		if (!trace.getSpan(active)?.isRecording() || (active.getValue(messageKey) === true && ending.outcome === "ok")) return;
		span(statement, name, active, {}, start, end, ending, failure);
	}

	function span(
		statement: Statement,
		name: string,
		parent: Context,
		more: Attributes,
		start: number,
		end: number,
		ending: Ending,
		failure: unknown,
	): void {
		statementSpan({ statement: statement.summary, name, parent, more: { ...describe(statement), ...more }, start, end, ending, failure });
	}

	const wrap = (inner: Sql): Sql => ({
		query: (name, text, values) => query(inner, name, text, values),
		transaction: (work) => inner.transaction((within) => work(wrap(within))),
	});
	return wrap(sql);
}

/** What a statement does to which table: after any `with`, what it changes matters more than what it reads. */
export function readStatement(text: string): Statement {
	const change = /\b(insert\s+into|update|delete\s+from)\s+([a-z_]+)\s/gi;
	const changes = [...text.matchAll(change)].filter(
		(match) => !/for\s*$/i.test(text.slice(0, match.index)) && match[2] !== "set" && match[2] !== "of",
	);
	const inserted = changes.find((match) => /^insert/i.test(match[1] as string));
	const [, verb, table] = inserted ?? changes[0] ?? /\b(select)\b[\s\S]*?\bfrom\s+([a-z_]+)/i.exec(text) ?? [];
	const operation = (verb?.split(/\s/)[0]?.toUpperCase() ?? "OTHER") as Statement["operation"];
	return { operation, table: table?.toLowerCase(), summary: table ? `${operation} ${table.toLowerCase()}` : operation };
}

const describe = (statement: Statement): Attributes => ({
	"db.operation.name": statement.operation,
	...(statement.table ? { "db.collection.name": statement.table } : {}),
});

/** SQLSTATE of what the database threw. */
function sqlStateOf(failure: unknown): string | undefined {
	const code = (failure as { code?: unknown } | undefined)?.code;
	return typeof code === "string" && code.length === 5 ? code : undefined;
}

/** The span of one statement, over already. */
export function statementSpan(given: {
	statement: string;
	name: string;
	parent: Context;
	more: Attributes;
	start: number;
	end: number;
	ending: Ending;
	failure?: unknown;
	sqlState?: string | undefined;
}): void {
	const made = tracer().startSpan(
		given.statement,
		{
			kind: SpanKind.CLIENT,
			startTime: given.start,
			attributes: {
				"db.system.name": "postgresql",
				"db.query.summary": given.statement,
				"chat.db.statement": given.name,
				// New Relic wants all three to see a database; ours may be on a unix socket, which has no port.
				"server.address": "localhost",
				"server.port": 0,
				...given.more,
			},
		},
		given.parent,
	);
	const sqlState = given.sqlState ?? sqlStateOf(given.failure);
	if (sqlState) made.setAttribute("db.response.status_code", sqlState);
	markError(made, given.ending, given.failure);
	made.end(given.end);
}
