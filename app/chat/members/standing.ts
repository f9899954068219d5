import { refuse } from "../../contract/refusals.ts";
import type { Person, Role, RoomKind } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { gather } from "../gather.ts";

declare const proven: unique symbol;

/** Proof that somebody is in a room. Nothing else can make one, and everything that reads or writes a room takes one. */
export type Standing = { roomId: string; me: Person; role: Role; kind: RoomKind; readonly [proven]: true };

export const roomKinds: readonly RoomKind[] = ["public", "private", "direct"];
export const roleOf = (role: number): Role => (role === 1 ? "owner" : "member");

/**
 * The door to a room: resolves to the proof of membership, or refuses with `not-found`. A stranger and a room that does
 * not exist get the same refusal, so that nobody learns which rooms exist. Many askers share one statement.
 */
export function openStanding(sql: Sql): (me: Person, roomId: string) => Promise<Standing> {
	const ask = gather<{ me: Person; roomId: string }, Standing>(async (batch) => {
		const rows = await sql.query<{ ord: number; role: number; kind: number }>(
			"standing",
			`select inp.ord, m.role, r.kind
       from unnest($1::uuid[], $2::uuid[]) with ordinality inp(rm, us, ord)
       join member m on m.room_id = inp.rm and m.user_id = inp.us
       join room r on r.id = inp.rm`,
			[batch.map((b) => b.roomId), batch.map((b) => b.me.id)],
		);
		const byOrd = new Map(rows.map((row) => [row.ord, row]));
		return batch.map(({ me, roomId }, i) => {
			const row = byOrd.get(i + 1);
			return row ? ({ roomId, me, role: roleOf(row.role), kind: roomKinds[row.kind] } as Standing) : refuse("not-found");
		});
	});
	return (me, roomId) => ask({ me, roomId });
}

/** Somebody who says they are in a room and will be asked for it later, by the statement that stores what they write. */
export type Claim = { roomId: string; me: Person; role: null };

export function claim(me: Person, roomId: string): Claim {
	return { roomId, me, role: null };
}

/** The bot's place in a room where somebody just called it: it is in no list and reads nothing. */
export function botStanding(bot: Person, roomId: string): Standing {
	return { roomId, me: bot, role: "member", kind: "public" } as Standing;
}
