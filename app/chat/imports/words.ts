import type { FileFault, Import, ImportKind, RecordFault, Rejected } from "../../contract/imports.ts";
import type { Language } from "../../contract/language.ts";

/** What the desk says in its room and on its pages; each fault in words that say what to do. */
const words = {
	en: {
		kinds: { catalogue: "a catalogue", people: "people", rooms: "rooms", channel: "a channel" } satisfies Record<ImportKind, string>,
		ready:
			"**{name}** brings {what}{version}: {added} new, {changed} changed, {unchanged} as before, {rejected} rejected. Nothing is in yet: an administrator says yes or no.",
		applying: "**{name}** is being brought in.",
		applied: "**{name}** is in: {added} new, {changed} changed, {rejected} left out. By {by}.",
		cancelled: "**{name}** was turned down by {by}. Nothing was changed.",
		refused: "**{name}** cannot be imported: {fault} Nothing was changed; the file is in quarantine.",
		version: ", version {n}",
		line: "line {line}: {field}{fault}",
		more: "and {n} more",
		atLine: "Line {line}. ",
		files: {
			empty: "There is nothing in it.",
			"not-json": "It is not JSON.",
			truncated: "It ends too early; it may not have been copied whole.",
			"wrong-encoding": "It is not UTF-8. Save it as UTF-8.",
			compressed: "It is a compressed file. Unpack it first.",
			"unknown-kind": 'It does not say what it brings. Begin it with "kind": "catalogue", "people", "rooms" or "channel".',
			"unknown-field": "It holds records of more than one kind, or of another than it says.",
			"bad-version": "Its version is not a whole number, or stands after the records.",
			"no-channel-name": 'It does not say which channel it is. Write "channel": "name" before the messages.',
			"record-too-large": "One record is larger than 256 KB.",
			"too-large": "It is larger than 200 MB. Split it.",
			"too-many-records": "It has more than a million records. Split it.",
			"older-version": "A newer version of it was imported before.",
			"version-taken": "This version was imported before, with something else in it. Give it the next number.",
			unreadable: "It could not be read any more.",
		} satisfies Record<FileFault, string>,
		records: {
			missing: "is missing",
			"wrong-type": "is of the wrong type",
			malformed: "is not written as it should be",
			"too-long": "is too long",
			duplicate: "stands in the file twice; the first counts",
			"name-taken": "is taken by something else",
			empty: "is empty",
		} satisfies Record<RecordFault, string>,
	},
	es: {
		kinds: { catalogue: "un catálogo", people: "personas", rooms: "salas", channel: "un canal" },
		ready:
			"**{name}** trae {what}{version}: {added} nuevos, {changed} con cambios, {unchanged} como estaban, {rejected} rechazados. Aún no ha entrado nada: quien administra dice sí o no.",
		applying: "**{name}** está entrando.",
		applied: "**{name}** ya está dentro: {added} nuevos, {changed} con cambios, {rejected} fuera. Por {by}.",
		cancelled: "{by} rechazó **{name}**. No se cambió nada.",
		refused: "**{name}** no se puede importar: {fault} No se cambió nada; el archivo está en cuarentena.",
		version: ", versión {n}",
		line: "línea {line}: {field}{fault}",
		more: "y {n} más",
		atLine: "Línea {line}. ",
		files: {
			empty: "No contiene nada.",
			"not-json": "No es JSON.",
			truncated: "Se acaba antes de tiempo; puede que no se copiara entero.",
			"wrong-encoding": "No está en UTF-8. Guárdalo en UTF-8.",
			compressed: "Es un archivo comprimido. Descomprímelo antes.",
			"unknown-kind": 'No dice qué trae. Empiézalo con "kind": "catalogue", "people", "rooms" o "channel".',
			"unknown-field": "Trae registros de más de una clase, o de otra que la que dice.",
			"bad-version": "Su versión no es un número entero, o está después de los registros.",
			"no-channel-name": 'No dice qué canal es. Escribe "channel": "nombre" antes de los mensajes.',
			"record-too-large": "Un registro pasa de 256 KB.",
			"too-large": "Pasa de 200 MB. Divídelo.",
			"too-many-records": "Tiene más de un millón de registros. Divídelo.",
			"older-version": "Ya se importó una versión más nueva.",
			"version-taken": "Esa versión ya se importó, con otro contenido. Ponle el número siguiente.",
			unreadable: "Ya no se pudo leer.",
		},
		records: {
			missing: "falta",
			"wrong-type": "es de otro tipo",
			malformed: "no está escrito como debe",
			"too-long": "es demasiado largo",
			duplicate: "está dos veces; vale la primera",
			"name-taken": "ya lo usa otra cosa",
			empty: "está vacío",
		},
	},
} as const;

/** Lines a report in the room shows. */
const linesShown = 10;

/** A file's state in words, as the room hears it. Names of files come from outside: nothing of them becomes markup. */
export function importWords(job: Import, language: Language, by: string): string {
	const w = words[language];
	const report = job.report;
	const given: Record<string, string> = {
		name: plain(job.name),
		what: job.kind ? w.kinds[job.kind] : "",
		version: job.version === null ? "" : w.version.replace("{n}", String(job.version)),
		added: String(report?.added ?? 0),
		changed: String(report?.changed ?? 0),
		unchanged: String(report?.unchanged ?? 0),
		rejected: String(report?.rejected ?? 0),
		by: plain(by),
		fault: job.fault ? fileFaultWords(job.fault, language) : "",
	};
	const state = job.state === "checking" ? "applying" : job.state;
	const said = w[state].replace(/\{(\w+)\}/g, (_, key: string) => given[key] ?? "");
	if (job.state !== "ready" || !report || report.lines.length === 0) return said;
	const shown = report.lines.slice(0, linesShown).map((line) => `- ${rejectedWords(line, language)}`);
	const more = report.rejected - shown.length;
	return [said, "", ...shown, ...(more > 0 ? [`- ${w.more.replace("{n}", String(more))}`] : [])].join("\n");
}

export function fileFaultWords(fault: { code: FileFault; line: number | null }, language: Language): string {
	const w = words[language];
	return `${fault.line === null ? "" : w.atLine.replace("{line}", String(fault.line))}${w.files[fault.code]}`;
}

export function rejectedWords({ line, field, fault }: Rejected, language: Language): string {
	const w = words[language];
	return w.line
		.replace("{line}", String(line))
		.replace("{field}", field === "" ? "" : `${field} `)
		.replace("{fault}", w.records[fault]);
}

const plain = (text: string) => text.replace(/[\\`*_{}[\]()<>#|~]/g, "\\$&").slice(0, 120);
