import { lobbyId } from "../../contract/fixed.ts";
import { refuse } from "../../contract/refusals.ts";
import { toPerson } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import { append, lockRoom, logKind } from "../room-log/index.ts";
import { deleteMember, promoteWhenOwnerless } from "./rows.ts";
import type { Standing } from "./standing.ts";

/** Takes a person out of a room, under a key by which it is known again. When the last owner goes, the longest-standing member becomes one. */
export async function leave(ports: Ports, here: Standing, clientKey = ports.ids()): Promise<void> {
	const { roomId, me } = here;
	if (roomId === lobbyId) throw refuse("lobby-stays");
	const left = await ports.sql.transaction(async (sql) => {
		await lockRoom(sql, roomId);
		if (!(await deleteMember(sql, roomId, me.id))) return null;
		const gone = await append(sql, { roomId, kind: logKind.leave, authorId: me.id, clientKey });
		const heir = here.kind === "direct" ? null : await promoteWhenOwnerless(sql, roomId);
		const promoted = heir
			? await append(sql, { roomId, kind: logKind.join, authorId: heir.id, clientKey: ports.ids(), meta: { role: "owner" } })
			: null;
		return { gone, heir, promoted };
	});
	await ports.sql.query("user-room-delete", "delete from user_room where user_id = $1 and room_id = $2", [me.id, roomId]);
	if (!left) return;
	ports.publish({ to: { roomId }, fact: { kind: "member-left", roomId, seq: left.gone.seq, person: me } });
	if (left.heir && left.promoted)
		ports.publish({
			to: { roomId },
			fact: { kind: "member-joined", roomId, seq: left.promoted.seq, person: toPerson(left.heir), role: "owner" },
		});
	ports.publish({ to: { userId: me.id }, signal: { kind: "room-removed", roomId } });
}
