/** The import desk: what a file may bring, what became of it, and how that is told. */

export const importKinds = ["catalogue", "people", "rooms", "channel"] as const;
export type ImportKind = (typeof importKinds)[number];

/** Why a whole file is no good. */
export const fileFaults = [
	"empty",
	"not-json",
	"truncated",
	"wrong-encoding",
	"compressed",
	"unknown-kind",
	"unknown-field",
	"bad-version",
	"no-channel-name",
	"record-too-large",
	"too-large",
	"too-many-records",
	"older-version",
	"version-taken",
	"unreadable",
] as const;
export type FileFault = (typeof fileFaults)[number];

/** Why one record is left out. */
export const recordFaults = ["missing", "wrong-type", "malformed", "too-long", "duplicate", "name-taken", "empty"] as const;
export type RecordFault = (typeof recordFaults)[number];

export type Rejected = { line: number; field: string; fault: RecordFault };

/** A file is refused (quarantined), or waits for its yes, or is through. */
export const importStates = ["checking", "ready", "applying", "applied", "cancelled", "refused"] as const;
export type ImportState = (typeof importStates)[number];

export type ImportReport = {
	records: number;
	added: number;
	changed: number;
	unchanged: number;
	rejected: number;
	/** The first of them. */
	lines: Rejected[];
	/** A few of what would come in: ids or names. */
	examples: string[];
};

/** One file and what became of it, as administrators see it. */
export type Import = {
	id: string;
	name: string;
	kind: ImportKind | null;
	version: number | null;
	bytes: number;
	sha256: string | null;
	state: ImportState;
	fault: { code: FileFault; line: number | null } | null;
	report: ImportReport | null;
	/** Records looked at, or written, so far. */
	progress: number;
	createdAt: number;
	/** Who said yes or no. */
	decidedBy: string | null;
	appliedAt: number | null;
};

/** Something a catalogue brings: the order desk's item. */
export type ImportedItem = { id: string; name: string; price: number | null; currency: string | null; present: boolean };
export type ImportedPerson = { name: string };
export type ImportedRoom = { name: string; topic: string; kind: "public" | "private"; members: string[] };
export type ImportedMessage = { ts: string; at: number; author: string; text: string; thread: string | null };
export type ImportedRecord =
	| { kind: "catalogue"; key: string; value: ImportedItem }
	| { kind: "people"; key: string; value: ImportedPerson }
	| { kind: "rooms"; key: string; value: ImportedRoom }
	| { kind: "channel"; key: string; value: ImportedMessage };

/** What a file says of itself, before its records. */
export type ImportHeader = { kind: ImportKind; version: number | null; channel: string | null };
