import { Form, Link } from "@remix-run/react";
import type { Import } from "../../contract/imports.ts";
import type { DeskWords } from "../../words/desk.server.ts";
import { useWords } from "../../words/use-words.tsx";
import { Table } from "./table.tsx";

/** Files that were brought, newest first. */
export function ImportList({ imports, w }: { imports: Import[]; w: DeskWords }) {
	const { time, full, language } = useWords();
	if (imports.length === 0) return <p>{w.nothing}</p>;
	return (
		<Table name={w.imports} heads={[w.file, w.kind, w.state, w.size, w.when]}>
			{imports.map((each) => (
				<tr key={each.id}>
					<td>
						<Link to={`/ops/imports/${each.id}`}>
							<bdi>{each.name}</bdi>
						</Link>
					</td>
					<td>{kindWords(each, w)}</td>
					<td>{stateWords(each, w)}</td>
					<td>{sizeWords(each.bytes, language)}</td>
					<td title={full(each.createdAt)} suppressHydrationWarning>
						{time(each.createdAt)}
					</td>
				</tr>
			))}
		</Table>
	);
}

/** `fault` and `lines` in words come from the server, which has them in both languages. */
export type ShownImport = Import & { faultWords: string | null; lineWords: string[] };

/** One file: what it would do, and the two buttons. */
export function ImportReportView({ shown, w }: { shown: ShownImport; w: DeskWords }) {
	const { language } = useWords();
	const number = new Intl.NumberFormat(language);
	const { report } = shown;
	const isWorking = shown.state === "checking" || shown.state === "applying";
	const counts =
		report &&
		([
			["added", w.added],
			["changed", w.changed],
			["unchanged", w.unchanged],
			["rejected", w.rejected],
		] as const);
	const nothing = shown.state === "ready" && report !== null && report.added + report.changed === 0;
	return (
		<>
			<p>
				<Link to="/ops/imports">← {w.back}</Link>
			</p>
			<h2>
				<bdi>{shown.name}</bdi>
			</h2>
			<p role="status">
				<b>{stateWords(shown, w)}</b>
				{shown.kind && ` · ${kindWords(shown, w)}`}
				{shown.version !== null && ` · ${w.version} ${shown.version}`} · {sizeWords(shown.bytes, language)}
				{shown.decidedBy && ` · ${w.decided.replace("{name}", shown.decidedBy)}`}
			</p>
			{isWorking && <p>{w.progress.replace("{n}", number.format(shown.progress))}</p>}
			{shown.faultWords && <p className="refused">{shown.faultWords}</p>}
			{counts && report && (
				<ul className="ops-slos import-counts">
					{counts.map(([name, title]) => (
						<li key={name}>
							<h3>{title}</h3>
							<p className="ops-big">{number.format(report[name])}</p>
						</li>
					))}
				</ul>
			)}
			{nothing && <p>{w.nothingChanged}</p>}
			{shown.state === "ready" && (
				<Form method="post" className="import-decide">
					<button type="submit" className="button" name="verdict" value="confirm">
						{w.confirm}
					</button>
					<button type="submit" className="button button-quiet" name="verdict" value="cancel">
						{w.cancel}
					</button>
				</Form>
			)}
			{report && report.examples.length > 0 && (
				<>
					<h3>{w.examples}</h3>
					<ul>
						{report.examples.map((example) => (
							<li key={example}>
								<bdi>{example}</bdi>
							</li>
						))}
					</ul>
				</>
			)}
			{shown.lineWords.length > 0 && report && (
				<>
					<h3>{w.rejected}</h3>
					<ul className="import-lines">
						{shown.lineWords.map((line) => (
							<li key={line}>{line}</li>
						))}
						{report.rejected > shown.lineWords.length && (
							<li>{w.more.replace("{n}", number.format(report.rejected - shown.lineWords.length))}</li>
						)}
					</ul>
				</>
			)}
		</>
	);
}

function stateWords(each: Import, w: DeskWords): string {
	// Nobody turned it down: it was here before.
	if (each.state === "cancelled" && each.decidedBy === null) return w.repeated;
	return w[each.state];
}

function kindWords(each: Import, w: DeskWords): string {
	if (each.kind === null) return "–";
	return { catalogue: w.catalogue, people: w.peopleKind, rooms: w.roomsKind, channel: w.channel }[each.kind];
}

function sizeWords(bytes: number, language: string): string {
	const unit = bytes < 1000 ? "byte" : bytes < 1_000_000 ? "kilobyte" : "megabyte";
	const divisor = { byte: 1, kilobyte: 1000, megabyte: 1_000_000 }[unit];
	return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 }).format(bytes / divisor);
}
