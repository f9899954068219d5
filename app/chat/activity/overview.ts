import type { ActivityStore, HintReason, RoomDay } from "../../contract/activity.ts";
import { opsRoomId } from "../../contract/fixed.ts";
import type { Overview, RelayState, RoomActivity } from "../../contract/overview.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Person, RoomKind } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { roomKinds, type Standing } from "../members/index.ts";

const hour = 3_600_000;
/** Charts show so many hours. */
const hoursShown = 48;
/** Nobody is late with an answer before this, ms. */
const patience = 15 * 60_000;
const listed = 50;

type Names = Map<string, { name: string | null; kind: RoomKind }>;

/** What is known of rooms' activity, for pages. */
export function openOverview(sql: Sql, standing: (me: Person, roomId: string) => Promise<Standing>, store: ActivityStore) {
	async function read(now: number, only: string | null): Promise<Overview> {
		const days = [0, 1, 2].map((back) => new Date(now - back * 24 * hour).toISOString().slice(0, 10));
		const docs = (await store.days(days)).filter((doc) => only === null || doc.roomId === only);
		const names = await namesOf(sql, [...new Set(docs.map((doc) => doc.roomId))], only !== null);
		return overview(docs, names, now, only === null ? await seenHints(sql, docs) : new Set());
	}
	return {
		/** Of all rooms; names only of those everybody may see. */
		all: (now = Date.now()): Promise<Overview> => read(now, null),
		/** Of one room, for its owners. Throws `not-found`, `not-owner`. */
		async ofRoom(me: Person, input: { roomId: string }, now = Date.now()): Promise<Overview> {
			const here = await standing(me, input.roomId);
			if (here.role !== "owner") throw refuse("not-owner");
			return read(now, input.roomId);
		},
		/** A hint was looked at: it is shown no more. */
		async seen(me: Person, hint: { roomId: string; seq: number; reason: HintReason }): Promise<void> {
			await sql.query(
				"activity-seen",
				"insert into activity_seen (room_id, seq, reason, by_user) values ($1, $2, $3, $4) on conflict do nothing",
				[hint.roomId, hint.seq, hint.reason, me.id],
			);
		},
		/** How far each consumer is behind the rooms, in events, and what it set aside. */
		async relay(): Promise<RelayState[]> {
			return sql.query<RelayState>(
				"relay-state",
				`select p.consumer, sum(r.last_seq - p.seq)::bigint behind,
           (select count(*) from relay_aside a where a.consumer = p.consumer) aside
         from relay_pointer p join room r on r.id = p.room_id group by p.consumer order by p.consumer`,
			);
		},
	};
}

async function namesOf(sql: Sql, roomIds: readonly string[], all: boolean): Promise<Names> {
	const rows = await sql.query<{ id: string; kind: number; name: string }>(
		"activity-names",
		"select id, kind, name from room where id = any($1::uuid[])",
		[roomIds],
	);
	return new Map(
		rows.map((row) => [
			row.id,
			{ name: all || row.kind === 0 || row.id === opsRoomId ? row.name : null, kind: roomKinds[row.kind] as RoomKind },
		]),
	);
}

async function seenHints(sql: Sql, docs: readonly RoomDay[]): Promise<Set<string>> {
	const hints = docs.flatMap((doc) => doc.hints.map((hint) => ({ roomId: doc.roomId, ...hint })));
	if (hints.length === 0) return new Set();
	const rows = await sql.query<{ room_id: string; seq: number; reason: string }>(
		"activity-seen-hints",
		`select s.room_id, s.seq, s.reason from unnest($1::uuid[], $2::bigint[], $3::text[]) t(rm, sq, re)
     join activity_seen s on s.room_id = t.rm and s.seq = t.sq and s.reason = t.re`,
		[hints.map((hint) => hint.roomId), hints.map((hint) => hint.seq), hints.map((hint) => hint.reason)],
	);
	return new Set(rows.map((row) => `${row.room_id} ${row.seq} ${row.reason}`));
}

/** Documents as pages show them: pure. */
export function overview(docs: readonly RoomDay[], names: Names, now: number, seen: ReadonlySet<string>): Overview {
	const first = Math.floor(now / hour) * hour - (hoursShown - 1) * hour;
	const hours = Array.from({ length: hoursShown }, (_, i) => ({ at: first + i * hour, messages: 0, orders: 0, changes: 0 }));
	const rooms = new Map<string, RoomActivity & { here: number; delivered: number; who: Set<string> }>();
	const newest = new Map<string, RoomDay>();
	for (const doc of docs) {
		if ((newest.get(doc.roomId)?.day ?? "") < doc.day) newest.set(doc.roomId, doc);
		const about = names.get(doc.roomId) ?? { name: null, kind: "private" as const };
		const room = rooms.get(doc.roomId) ?? {
			roomId: doc.roomId,
			...about,
			messages: 0,
			people: 0,
			orders: 0,
			bytes: 0,
			reach: null,
			lastHour: 0,
			here: 0,
			delivered: 0,
			who: new Set<string>(),
		};
		rooms.set(doc.roomId, room);
		room.here += doc.reach.here;
		room.delivered += doc.reach.delivered;
		for (const person of Object.keys(doc.people)) room.who.add(person);
		for (const [name, kinds] of Object.entries(doc.hours)) {
			const at = Date.parse(`${doc.day}T00:00:00Z`) + Number(name) * hour;
			const [messages, bytes] = kinds.message ?? [0, 0];
			const orders = kinds.order?.[0] ?? 0;
			room.messages += messages;
			room.bytes += bytes;
			room.orders += orders;
			if (messages > 0) room.lastHour = Math.max(room.lastHour, at);
			const shown = hours[(at - first) / hour];
			if (!shown) continue;
			shown.messages += messages;
			shown.orders += orders;
			for (const [kind, [count]] of Object.entries(kinds)) if (kind !== "message" && kind !== "order") shown.changes += count;
		}
	}
	const nameOf = (roomId: string) => names.get(roomId)?.name ?? null;
	return {
		from: first,
		hours,
		rooms: [...rooms.values()]
			.map(({ here, delivered, who, ...room }) => ({ ...room, people: who.size, reach: here > 0 ? delivered / here : null }))
			.filter((room) => room.messages + room.orders > 0)
			.sort((a, b) => b.messages - a.messages || a.roomId.localeCompare(b.roomId))
			.slice(0, listed),
		hints: docs
			.flatMap((doc) => doc.hints.map((hint) => ({ roomId: doc.roomId, name: nameOf(doc.roomId), ...hint })))
			.filter((hint) => !seen.has(`${hint.roomId} ${hint.seq} ${hint.reason}`))
			.sort((a, b) => b.at - a.at)
			.slice(0, listed),
		questions: [...newest.values()]
			.flatMap((doc) => doc.questions.map(({ seq, at }) => ({ roomId: doc.roomId, name: nameOf(doc.roomId), seq, at })))
			.filter((question) => now - question.at >= patience)
			.sort((a, b) => a.at - b.at)
			.slice(0, listed),
		answered: docs.reduce((sum, doc) => sum + doc.answered, 0),
		reach: docs.reduce((sum, doc) => ({ here: sum.here + doc.reach.here, delivered: sum.delivered + doc.reach.delivered }), {
			here: 0,
			delivered: 0,
		}),
	};
}
