import { unreadDeleted } from "../../app/chat/members/index.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { Crowd } from "./crowd.ts";

type Row = { seq: number; kind: number; msgNo: number | null; author: string; key: string; body: string | null };
type Room = { lastSeq: number; lastMsg: number; rows: Row[] };

/** What an audit found; every count must be zero. */
export type Found = { lost: number; doubled: number; reordered: number; miscounted: number; examples: string[] };

const examplesKept = 5;

/**
 * Holds what is stored against what was acknowledged, what was written and what everybody heard. To be asked when everybody
 * present has settled; may be asked again and again, and looks at what is new.
 */
export function openAudit({ sql, people, ledger }: Pick<Crowd, "sql" | "people" | "ledger">) {
	const rooms = new Map<string, Room>();
	/** How many rows of each room were looked at. */
	const looked = new Map<string, number>();
	const keys = new Set<string>();
	const checkedAcks = new Set<string>();
	/** What each person wrote in a room, as stored: how many of theirs were compared. */
	const compared = new Map<string, number>();

	/** Reads what was stored since the last time; the heads of all rooms. */
	async function read(): Promise<Map<string, Room>> {
		const heads = await sql.query<{ id: string; seq: number; msg: number }>(
			"chaos-heads",
			`select id, last_seq as seq, last_msg as msg from room where last_seq > 0 order by id`,
			[],
		);
		for (const head of heads) {
			const room = rooms.get(head.id) ?? { lastSeq: 0, lastMsg: 0, rows: [] };
			const rows = await sql.query<Row>(
				"chaos-log",
				`select seq, kind, msg_no as "msgNo", author_id as author, client_key as key, body
         from room_log where room_id = $1 and seq > $2 order by seq`,
				[head.id, room.rows.length],
			);
			room.rows.push(...rows);
			room.lastSeq = Number(head.seq);
			room.lastMsg = Number(head.msg);
			rooms.set(head.id, room);
		}
		return rooms;
	}

	/** Who wrote or reads with another number of unread messages than counting them gives. */
	async function miscounted(): Promise<string[]> {
		const wrong = await sql.query<{ room_id: string; user_id: string; told: number; counted: number }>(
			"chaos-recount",
			`select m.room_id, m.user_id, t.told, c.counted from member m join room r on r.id = m.room_id,
       lateral (select r.last_msg - m.read_msg - cardinality(${unreadDeleted}) as told) t,
       lateral (select count(*) filter (where l.deleted_at is null) as counted
         from room_log l where l.room_id = m.room_id and l.kind = 0 and l.seq > m.read_seq) c
       where t.told <> c.counted`,
			[],
		);
		return wrong.map((each) => `${each.user_id} has ${each.told} unread in ${each.room_id}, and ${each.counted} by counting`);
	}

	return {
		/** The newest seq of each room. */
		async heads(): Promise<Map<string, number>> {
			return new Map([...(await read())].map(([id, room]) => [id, room.lastSeq]));
		},
		async check(): Promise<Found> {
			const found: Found = { lost: 0, doubled: 0, reordered: 0, miscounted: 0, examples: [] };
			const note = (what: Exclude<keyof Found, "examples">, text: string) => {
				found[what]++;
				if (found.examples.length < examplesKept) found.examples.push(`${what}: ${text}`);
			};
			await read();
			const written = new Map<string, string[]>();

			// The log itself: no gap, no key twice, its counters right, and what people heard is what stands there.
			for (const [id, { rows, lastSeq, lastMsg }] of rooms) {
				const from = looked.get(id) ?? 0;
				looked.set(id, rows.length);
				let msgNo = rows.slice(0, from).filter((row) => row.kind === 0).length;
				for (let i = from; i < rows.length; i++) {
					const row = rows[i] as Row;
					if (Number(row.seq) !== i + 1) note("lost", `seq ${i + 1} of ${id} is ${row.seq}`);
					if (row.kind !== 0) continue;
					if (Number(row.msgNo) !== ++msgNo) note("lost", `message ${msgNo} of ${id} is ${row.msgNo}`);
					const key = `${id} ${row.author} ${row.key}`;
					if (keys.has(key)) note("doubled", `${row.body}`);
					keys.add(key);
					const heard = ledger.factOf(id, i + 1);
					if (heard !== undefined && heard !== `${row.msgNo} ${row.author} ${row.key} ${row.body}`)
						note("reordered", `${id} ${i + 1} is ${row.body}, and ${heard} was heard`);
					const theirs = `${id} ${row.author}`;
					(written.get(theirs) ?? written.set(theirs, []).get(theirs))?.push(row.body as string);
				}
				if (lastSeq !== rows.length || lastMsg !== msgNo)
					note("lost", `${id} says ${lastSeq} and ${lastMsg}, has ${rows.length} and ${msgNo}`);
			}
			// Acknowledged is stored, where the acknowledgement said.
			for (const [clientId, ack] of ledger.acked) {
				if (checkedAcks.has(clientId)) continue;
				checkedAcks.add(clientId);
				const row = rooms.get(ack.roomId)?.rows[ack.seq - 1];
				if (row?.key !== clientId || row.author !== ack.author || row.body !== ack.body) note("lost", `acknowledged: ${ack.body}`);
			}
			// Everything anybody wrote, once, in the order they wrote it. Who is away may still have some to send.
			for (const person of people) {
				for (const [roomId, sent] of person.sent) {
					const id = `${roomId} ${person.me.id}`;
					const from = compared.get(id) ?? 0;
					const stored = written.get(id) ?? [];
					compared.set(id, from + stored.length);
					for (const [i, body] of stored.entries())
						if (body !== sent[from + i]) note("reordered", `${person.name} wrote ${sent[from + i]} and ${body} stands there`);
					const missing = sent.length - from - stored.length;
					if (missing > 0 && !person.isAway()) note("lost", `${missing} of ${person.name}`);
				}
				// Everything by everybody.
				if (person.isAway()) continue;
				const { cursors, rooms: shown } = person.live.getState();
				for (const [roomId, { upTo, beyond }] of person.followed) {
					const room = rooms.get(roomId);
					if (upTo !== room?.lastSeq || beyond.size > 0) note("lost", `${person.name} heard up to ${upTo} of ${room?.lastSeq}`);
					if (cursors[roomId] !== room?.lastSeq || shown[roomId]?.lastMsg !== room?.lastMsg)
						note("miscounted", `${person.name} is at ${cursors[roomId]}, ${shown[roomId]?.lastMsg} of ${room?.lastSeq}, ${room?.lastMsg}`);
				}
				const { open } = person.live.getState();
				const shownRows = open?.messages.map((message) => `${message.seq} ${message.clientId}`) ?? [];
				const storedRows = rooms
					.get(person.openRoom)
					?.rows.filter((row) => row.kind === 0)
					.slice(-shownRows.length)
					.map((row) => `${row.seq} ${row.key}`);
				if (shownRows.join() !== storedRows?.join()) note("reordered", `the page of ${person.name} is not the end of its room`);
			}
			for (const text of await miscounted()) note("miscounted", text);
			return found;
		},
		/** Messages stored in the lobby, for whoever wants a figure. */
		messages: () => [...rooms.values()].reduce((sum, room) => sum + room.lastMsg, 0),
		lobby: () => rooms.get(lobbyId)?.lastSeq ?? 0,
	};
}
export type Audit = ReturnType<typeof openAudit>;
