import type { Import, ImportReport, ImportState } from "../../contract/imports.ts";
import type { Language } from "../../contract/language.ts";
import type { Sql } from "../../storage/sql.ts";

export type JobRow = {
	id: string;
	name: string;
	place: string;
	bytes: number;
	state: ImportState;
	sha256: string | null;
	kind: Import["kind"];
	version: number | null;
	channel: string | null;
	language: Language;
	fault: Import["fault"];
	report: ImportReport | null;
	decided_by: string | null;
	created_at: Date;
	applied_at: Date | null;
	told: ImportState | null;
	/** The traceparent it came with. */
	tp: string | null;
};
export const jobColumns =
	"id, name, place, bytes, state, sha256, kind, version, channel, language, fault, report, decided_by, created_at, applied_at, told, tp";

export function toImport(row: JobRow & { done?: number | null; decider?: string | null }): Import {
	return {
		id: row.id,
		name: row.name,
		kind: row.kind,
		version: row.version,
		bytes: row.bytes,
		sha256: row.sha256,
		state: row.state,
		fault: row.fault,
		report: row.report,
		progress: row.done ?? 0,
		createdAt: row.created_at.getTime(),
		decidedBy: row.decider ?? null,
		appliedAt: row.applied_at?.getTime() ?? null,
	};
}

const listed = `select ${jobColumns.replace(/\b(\w+)\b/g, "j.$1")}, p.done, u.display_name decider
  from import_job j left join import_progress p on p.job_id = j.id left join app_user u on u.id = j.decided_by`;

/** The newest files, at most `limit`. */
export async function selectImports(sql: Sql, limit: number): Promise<Import[]> {
	const rows = await sql.query<JobRow>("import-list", `${listed} order by j.created_at desc, j.id limit $1`, [limit]);
	return rows.map(toImport);
}

export async function selectImport(sql: Sql, id: string): Promise<Import | null> {
	const [row] = await sql.query<JobRow>("import-one", `${listed} where j.id = $1`, [id]);
	return row ? toImport(row) : null;
}

/** False when a job of that id stands. */
export async function insertJob(
	sql: Sql,
	job: Pick<JobRow, "id" | "name" | "place" | "bytes" | "language" | "tp"> & { fault?: Import["fault"] },
): Promise<boolean> {
	const rows = await sql.query(
		"import-insert",
		`insert into import_job (id, name, place, bytes, language, state, fault, tp) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do nothing returning id`,
		[
			job.id,
			job.name,
			job.place,
			job.bytes,
			job.language,
			job.fault ? "refused" : "checking",
			job.fault ? JSON.stringify(job.fault) : null,
			job.tp,
		],
	);
	return rows.length > 0;
}

/** A job with something left to do, for the rest of the transaction: nobody else works on it meanwhile. Oldest first. */
export async function lockJob(sql: Sql, passed: readonly string[]): Promise<JobRow | null> {
	const [row] = await sql.query<JobRow>(
		"import-lock",
		`select ${jobColumns} from import_job
     where (state in ('checking', 'applying') or told is distinct from state) and id <> all($1::uuid[])
     order by created_at, id limit 1 for update skip locked`,
		[passed],
	);
	return row ?? null;
}

/** Somebody's yes or no, where it still can be said; the job as it is then. */
export async function decideJob(sql: Sql, id: string, by: string, state: "applying" | "cancelled"): Promise<JobRow | null> {
	const [row] = await sql.query<JobRow>(
		"import-decide",
		`update import_job set state = $3, decided_by = $2 where id = $1 and state = 'ready' returning ${jobColumns}`,
		[id, by, state],
	);
	return row ?? null;
}

/** A file of the same content that waits, is being written, or is what was written last of its kind. */
export async function selectSame(sql: Sql, job: JobRow): Promise<string | null> {
	const [row] = await sql.query<{ id: string }>(
		"import-same",
		`select id from import_job s where s.sha256 = $1 and s.id <> $2 and (s.state in ('ready', 'applying') or (s.state = 'applied'
       and not exists (select 1 from import_job l where l.state = 'applied' and l.kind = s.kind
         and l.channel is not distinct from s.channel and l.applied_at > s.applied_at)))
     order by s.created_at limit 1`,
		[job.sha256, job.id],
	);
	return row?.id ?? null;
}

/** The newest version of this kind (and channel) that was applied, with its content. */
export async function selectApplied(sql: Sql, job: JobRow): Promise<{ version: number; sha256: string } | null> {
	const [row] = await sql.query<{ version: number; sha256: string }>(
		"import-applied",
		`select version, sha256 from import_job where state = 'applied' and kind = $1 and channel is not distinct from $2 and version is not null
     order by version desc, applied_at desc limit 1`,
		[job.kind, job.channel],
	);
	return row ?? null;
}

export async function saveJob(sql: Sql, job: JobRow): Promise<void> {
	await sql.query(
		"import-save",
		`update import_job set state = $2, sha256 = $3, kind = $4, version = $5, channel = $6, fault = $7, report = $8, bytes = $9,
       applied_at = case when $2 = 'applied' then now() else applied_at end where id = $1`,
		[
			job.id,
			job.state,
			job.sha256,
			job.kind,
			job.version,
			job.channel,
			job.fault ? JSON.stringify(job.fault) : null,
			job.report ? JSON.stringify(job.report) : null,
			job.bytes,
		],
	);
}

export async function saveTold(sql: Sql, id: string, told: ImportState): Promise<void> {
	await sql.query("import-told", "update import_job set told = $2 where id = $1", [id, told]);
}

/** Outside the job's transaction, so that it is seen while that goes on. */
export async function saveProgress(sql: Sql, id: string, done: number): Promise<void> {
	await sql.query(
		"import-progress",
		"insert into import_progress (job_id, done) values ($1, $2) on conflict (job_id) do update set done = excluded.done",
		[id, done],
	);
}
