import { isTraceparent } from "../../contract/envelope.ts";
import { deskBotId, opsRoomId } from "../../contract/fixed.ts";
import type { FileFault, Import, ImportedRecord, ImportHeader, ImportReport, Rejected } from "../../contract/imports.ts";
import type { Language } from "../../contract/language.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { uuidOf } from "../ids.ts";
import { admit, botStanding } from "../members/index.ts";
import { edit, type Lane, post } from "../messages/index.ts";
import { allowPauses } from "../pauses.ts";
import type { Names } from "../people/index.ts";
import { type PersonRow, toPerson } from "../people/index.ts";
import type { News, Ports } from "../ports.ts";
import { findChange } from "../room-log/index.ts";
import { show } from "../rooms/index.ts";
import { type Bringer, openBringer, type Verdict } from "./bring-in.ts";
import type { ImportPorts } from "./ports.ts";
import {
	decideJob,
	insertJob,
	type JobRow,
	lockJob,
	saveJob,
	saveProgress,
	saveTold,
	selectApplied,
	selectImport,
	selectImports,
	selectSame,
	toImport,
} from "./rows.ts";
import { fileFaultWords, importWords, rejectedWords } from "./words.ts";

type Log = { info(event: string, fields?: Record<string, unknown>): void; warn(event: string, fields?: Record<string, unknown>): void };

const desk: Person = { id: deskBotId, name: "Charla", bot: true };
/** Rejected lines a report keeps. */
const linesKept = 200;
const examplesKept = 10;
const listedAtMost = 50;
/** What another instance left, or this one before it ended, is found within this time, ms. */
const searchEvery = 5000;
/** Progress is written this often, ms. */
const progressEvery = 500;

/** Somebody confirmed, and the file is bad after all; or the other way round: it rolls everything back. */
class Refused extends Error {
	fault: { code: FileFault; line: number | null };
	constructor(fault: { code: FileFault; line: number | null }) {
		super(fault.code);
		this.fault = fault;
	}
}

/**
 * The import desk: a file that arrived is looked at and reported in the administrators' room; on their yes it is brought in, all
 * of it in one transaction. Whatever dies on the way is done again from the file. Use cases ask for an administrator's own
 * person; that they are one is for the door to see to.
 */
export function openImports(given: {
	ports: Ports;
	lane: Lane;
	names: Names;
	importing: ImportPorts;
	log: Log;
	round?: (work: () => Promise<void>) => Promise<void>;
}) {
	const { ports, importing, log, round = (work) => work() } = given;
	const { sql } = ports;
	let running: Promise<void> | null = null;
	let isWanted = false;
	let isStopped = false;

	/** Everything there is to do, one file after the other. Files that fail for reasons of ours are left for the next look. */
	async function look(): Promise<void> {
		// Whoever became administrator meanwhile finds the room in their list.
		await gatherAdministrators();
		const passed: string[] = [];
		while (!isStopped) {
			const news: News[] = [];
			let job: JobRow | null = null;
			try {
				job = await sql.transaction(async (tx) => {
					news.length = 0;
					const locked = await lockJob(tx, passed);
					if (locked) await work(tx, locked, news);
					return locked;
				});
			} catch (error) {
				const failed = error as { job?: JobRow };
				if (!failed.job) throw error;
				passed.push(failed.job.id);
				log.warn("import.failed", { import_id: failed.job.id, exception_message: String((error as Error).cause ?? error) });
				continue;
			}
			// Only what is committed is told, and the file goes only when what it brought stays.
			for (const told of news) ports.publish(told);
			if (!job) return;
			try {
				await tell(job);
			} catch (error) {
				passed.push(job.id);
				log.warn("import.failed", { import_id: job.id, exception_message: String(error) });
			}
		}
	}

	async function work(tx: Sql, job: JobRow, news: News[]): Promise<void> {
		try {
			// The file comes as fast as it comes.
			await allowPauses(tx);
			const { around = (_id, _stage, _tp, run) => run(null) } = importing;
			if (job.state === "checking") await around(job.id, "check", job.tp, () => check(tx, job));
			else if (job.state === "applying") await around(job.id, "apply", job.tp, (tp) => apply(tx, job, news, tp));
		} catch (error) {
			throw Object.assign(new Error("an import failed", { cause: error }), { job, code: (error as { code?: string }).code });
		}
	}

	/** Reads the file and says what it would do. */
	async function check(tx: Sql, job: JobRow): Promise<void> {
		const report: ImportReport = { records: 0, added: 0, changed: 0, unchanged: 0, rejected: 0, lines: [], examples: [] };
		try {
			const bound = { ...ports, sql: tx, publish: () => undefined };
			const whole = await read(job, async (header, records, rejected) => {
				const bringer = openBringer({ ports: bound, catalogue: importing.catalogue(tx), header, owner: null });
				const verdicts = await bringer.compare(records.map(({ record }) => record));
				tally(report, records, verdicts, rejected);
			});
			Object.assign(job, { sha256: whole.sha256, bytes: whole.bytes, ...whole.header });
			const same = await selectSame(tx, job);
			if (same) {
				// The very same file again: it was dealt with, or waits to be.
				Object.assign(job, { state: "cancelled", report, told: "cancelled" });
				await saveJob(tx, job);
				await saveTold(tx, job.id, "cancelled");
				log.info("import.checked", { import_id: job.id, state: "repeated", kind: job.kind, bytes: job.bytes, records: report.records });
				return;
			}
			const before = job.version === null ? null : await selectApplied(tx, job);
			if (before && (job.version as number) < before.version) throw new Refused({ code: "older-version", line: null });
			if (before && job.version === before.version && before.sha256 !== job.sha256)
				throw new Refused({ code: "version-taken", line: null });
			Object.assign(job, { state: "ready", report });
		} catch (error) {
			const fault = faultOf(error);
			if (!fault) throw error;
			Object.assign(job, { state: "refused", fault });
		}
		await saveJob(tx, job);
		log.info("import.checked", {
			import_id: job.id,
			state: job.state,
			kind: job.kind,
			error_code: job.fault?.code ?? null,
			bytes: job.bytes,
			records: report.records,
			records_failed: report.rejected,
		});
	}

	/** Brings the file in: all of it, or nothing. */
	async function apply(tx: Sql, job: JobRow, news: News[], tp: string | null): Promise<void> {
		const report: ImportReport = { records: 0, added: 0, changed: 0, unchanged: 0, rejected: 0, lines: [], examples: [] };
		try {
			// A part of it rolled back must leave nothing behind, the job's own row excepted.
			await tx.transaction(async (inner) => {
				const bound = { ...ports, sql: inner, publish: (told: News) => void news.push(told) };
				const owner = await personOf(inner, job.decided_by);
				let bringer: Bringer | null = null;
				const whole = await read(job, async (header, records, rejected) => {
					bringer ??= openBringer({ ports: bound, catalogue: importing.catalogue(inner), header, owner, tp });
					const those = records.map(({ record }) => record);
					const verdicts = await bringer.compare(those);
					tally(report, records, verdicts, rejected);
					await bringer.apply(those.filter((_, i) => typeof verdicts[i] === "string"));
				});
				// What was said yes to is what was looked at.
				if (whole.sha256 !== job.sha256) throw new Refused({ code: "unreadable", line: null });
				await (bringer as Bringer | null)?.finish?.();
			});
			Object.assign(job, { state: "applied", report });
		} catch (error) {
			const fault = faultOf(error);
			if (!fault) throw error;
			news.length = 0;
			Object.assign(job, { state: "refused", fault });
		}
		await saveJob(tx, job);
		log.info("import.applied", {
			import_id: job.id,
			state: job.state,
			kind: job.kind,
			user_id: job.decided_by,
			records: report.records,
			records_failed: report.rejected,
		});
	}

	async function read(
		job: JobRow,
		take: (header: ImportHeader, records: Parameters<typeof tally>[1], rejected: readonly Rejected[]) => Promise<void>,
	): Promise<{ header: ImportHeader; bytes: number; sha256: string }> {
		let done = 0;
		let toldAt = 0;
		const reading = importing.core.readImport(await importing.files.open(job.place), job.name);
		for (;;) {
			const next = await reading.next();
			if (next.done) return next.value;
			const { header, records, rejected } = next.value;
			await take(header, records, rejected);
			done += records.length + rejected.length;
			if (Date.now() - toldAt < progressEvery) continue;
			toldAt = Date.now();
			await saveProgress(sql, job.id, done);
		}
	}

	function faultOf(error: unknown): { code: FileFault; line: number | null } | null {
		if (error instanceof Refused) return error.fault;
		if ((error as { code?: unknown } | null)?.code === "ENOENT") return { code: "unreadable", line: null };
		return importing.core.faultOf(error);
	}

	/** Says in the administrators' room how it stands, once for each state, and lets the file go when it is done with. */
	async function tell(job: JobRow): Promise<void> {
		if (job.state === "checking") return;
		if (job.state === "refused" && job.fault) await importing.files.quarantine(job.place, job.name, reasonOf(job));
		if (job.state === "applied" || job.state === "cancelled") await importing.files.discard(job.place);
		if (job.told !== job.state) {
			await gatherAdministrators();
			const by = (await personOf(sql, job.decided_by))?.name ?? "";
			const body = importWords(toImport(job), job.language, by);
			const here = botStanding(desk, opsRoomId);
			const seq = await findChange(sql, opsRoomId, desk.id, job.id);
			if (seq === null) await post(ports, given.lane, given.names, here, { clientId: job.id, body, replyTo: null });
			else await edit(ports, here, { clientId: uuidOf("import-state", job.id, job.state), seq, body });
			await saveTold(sql, job.id, job.state);
		}
	}

	async function gatherAdministrators(): Promise<void> {
		const rows = await sql.query<PersonRow>(
			"ops-missing",
			`select id, display_name, is_bot from app_user u where is_admin
         and not exists (select 1 from member m where m.room_id = $1 and m.user_id = u.id)`,
			[opsRoomId],
		);
		for (const row of rows) {
			const person = toPerson(row);
			await show(ports, person, opsRoomId, await admit(ports, person, opsRoomId));
		}
	}

	function wake(): void {
		isWanted = true;
		if (isStopped) return;
		running ??= (async () => {
			while (isWanted && !isStopped) {
				isWanted = false;
				await round(look).catch((error: unknown) => log.warn("job.failed", { job: "import", exception_message: String(error) }));
			}
			running = null;
		})();
	}
	const timer = setInterval(wake, importing.every ?? searchEvery);
	timer.unref();

	/** Throws `import-not-found`, or `import-decided` when it is not waiting for a yes or no any more. */
	async function decide(me: Person, id: string, state: "applying" | "cancelled"): Promise<Import> {
		const job = await decideJob(sql, id, me.id, state);
		if (!job) {
			const stands = await selectImport(sql, id);
			if (!stands) throw refuse("import-not-found");
			// The same answer again is the same answer.
			const isSame = state === "cancelled" ? stands.state === "cancelled" : stands.state === "applying" || stands.state === "applied";
			if (!isSame) throw refuse("import-decided");
		}
		wake();
		return (await selectImport(sql, id)) as Import;
	}

	return {
		/** A file is there to be looked at. Under the same id it is the same file. `fault`: whoever looked before found it bad; `tp`: the traceparent it came with. */
		async arrived(file: {
			id: string;
			name: string;
			place: string;
			bytes: number;
			language?: Language;
			fault?: Import["fault"];
			tp?: string | null;
		}): Promise<void> {
			const { language = "en", tp, ...rest } = file;
			await insertJob(sql, { ...rest, name: nameToShow(file.name), language, tp: isTraceparent(tp) ? tp : null });
			wake();
		},
		confirm: (me: Person, id: string): Promise<Import> => decide(me, id, "applying"),
		cancel: (me: Person, id: string): Promise<Import> => decide(me, id, "cancelled"),
		list: (): Promise<Import[]> => selectImports(sql, listedAtMost),
		/** Throws `import-not-found`. */
		async one(id: string): Promise<Import> {
			const found = await selectImport(sql, id);
			if (!found) throw refuse("import-not-found");
			return found;
		},
		/** With its faults in words. */
		inWords: (job: Import, language: Language) => ({
			...job,
			faultWords: job.fault ? fileFaultWords(job.fault, language) : null,
			lineWords: (job.report?.lines ?? []).map((line) => rejectedWords(line, language)),
		}),
		/** Looks for work now. */
		wake,
		async stop(): Promise<void> {
			isStopped = true;
			clearInterval(timer);
			await running;
		},
	};
}
export type Imports = ReturnType<typeof openImports>;

function tally(
	report: ImportReport,
	records: readonly { line: number; record: ImportedRecord }[],
	verdicts: readonly Verdict[],
	rejected: readonly Rejected[],
): void {
	report.records += records.length + rejected.length;
	const lines = [...rejected];
	records.forEach(({ line, record }, i) => {
		const verdict = verdicts[i] as Verdict;
		if (typeof verdict !== "string") {
			lines.push({ line, ...verdict });
			return;
		}
		report[verdict]++;
		const { id, name } = record.value as { id?: string; name?: string };
		if (verdict !== "unchanged" && report.examples.length < examplesKept)
			report.examples.push([id, name].filter(Boolean).join(" ").slice(0, 80) || record.key.slice(0, 80));
	});
	report.rejected += lines.length;
	report.lines.push(...lines.sort((a, b) => a.line - b.line).slice(0, linesKept - report.lines.length));
}

async function personOf(sql: Sql, id: string | null): Promise<Person | null> {
	if (id === null) return null;
	const [row] = await sql.query<PersonRow>("import-person", "select id, display_name, is_bot from app_user where id = $1", [id]);
	return row ? toPerson(row) : null;
}

/** What stands beside a file in quarantine. */
function reasonOf(job: JobRow): string {
	const { code, line } = job.fault as NonNullable<JobRow["fault"]>;
	return `${code}${line === null ? "" : ` (line ${line})`}`;
}

/** A file's name as one line of visible text. */
const nameToShow = (name: string): string =>
	name
		.toWellFormed()
		.normalize("NFC")
		.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ")
		.trim()
		.slice(0, 200) || "?";
