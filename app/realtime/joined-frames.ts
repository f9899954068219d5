import type { Socket as TcpSocket } from "node:net";
import { Adapter, type BroadcastOptions } from "socket.io-adapter";
import * as ws from "ws";

/**
 * The one file that relies on Socket.IO's insides; joined-frames.test.ts fails when an upgrade changes them, and
 * FANOUT=stock switches it off.
 *
 * A broadcast to one room is encoded and framed once. All frames of one turn of the event loop (of a
 * busy room: of 5 ms) are joined and written to each member's TCP socket in a single write: 3 times the deliveries per CPU-second of the stock adapter, because the
 * time goes into the writes and the bookkeeping around them, not into encoding. Whoever cannot take that way (polling,
 * upgrading, something still queued) gets every packet the ordinary way, in the same order.
 *
 * Whoever reads too slowly is told to catch up by cursor ("resync") instead of filling memory.
 */

/** Unsent bytes of one connection above which it counts as slow: some hundred messages. */
export const backlogLimit = 256 * 1024;
/** Packets an engine may hold for one polling client before it counts as slow. */
export const packetLimit = 256;
/** A slow reader that has not drained after this long, ms, is disconnected: it comes back and catches up. */
export const slowLimit = 30_000;

/**
 * A room is written to at most this often, ms; the first message after a pause goes at once. Only a room with more than 200
 * messages a second ever waits, a third of a frame on a screen, and it is there that joining pays.
 */
export const joinWindow = 5;

type Packet = { type: number; nsp: string; data: unknown[] };
type Queued = { packet: Packet; encoded: string[]; frame: Buffer };
type Engine = {
	readyState: "opening" | "open" | "closing" | "closed";
	transport: { name: string; writable: boolean; socket?: { readyState: number; _socket?: TcpSocket } };
	upgrading: boolean;
	writeBuffer: unknown[];
	close(discard: boolean): void;
};
type Encoder = { encode(packet: Packet): unknown[] };
// The types of ws leave out the class that frames; it is exported and documented in its source.
const { Sender } = ws as unknown as {
	Sender: { frame(payload: Buffer, options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean }): Buffer[] };
};
type Connected = {
	id: string;
	conn: Engine;
	client: { writeToEngine(encoded: string[], options: object): void };
	emit(name: string, value: unknown): void;
};

export const fanOutCounts = { joined: 0, ordinary: 0, resyncs: 0, cutOff: 0 };

/** The open TCP socket of a connection that nothing else is being written to, or null. */
function directLine(conn: Engine): TcpSocket | null {
	if (conn.transport.name !== "websocket" || conn.readyState !== "open" || conn.upgrading) return null;
	if (!conn.transport.writable || conn.writeBuffer.length > 0) return null;
	const socket = conn.transport.socket;
	const tcp = socket?._socket;
	return socket?.readyState === 1 && tcp?.writable ? tcp : null;
}

/** Bytes the process holds for this connection because the other side has not taken them. */
function backlog(conn: Engine): number {
	return conn.transport.socket?._socket?.writableLength ?? 0;
}

export class JoinedFramesAdapter extends Adapter {
	#turn = new Map<string, Queued[]>();
	#scheduled = false;
	/** Rooms written to within the last `joinWindow`: theirs waits for its end. */
	#recent = new Set<string>();
	#window: NodeJS.Timeout | null = null;
	#slow = new Set<string>();

	override broadcast(packet: Packet, options: BroadcastOptions): void {
		const { rooms, except, flags } = options;
		const plain = rooms.size === 1 && (!except || except.size === 0) && !flags?.volatile;
		if (!plain) {
			// Order: what waits for this turn's end goes first.
			this.#flush();
			super.broadcast(packet, options);
			return;
		}
		const [room] = rooms as Set<string>;
		if (!this.rooms.has(room as string)) return;
		packet.nsp = this.nsp.name;
		const encoded = (this.nsp.server.encoder as Encoder).encode(packet) as string[];
		// Binary attachments would need several frames; Charla's facts are JSON, but nothing may break if one is not.
		if (encoded.length !== 1 || typeof encoded[0] !== "string") {
			this.#flush();
			super.broadcast(packet, options);
			return;
		}
		// "4" is engine.io's type for a message.
		const payload = Buffer.from(`4${encoded[0]}`);
		const frame = Buffer.concat(Sender.frame(payload, { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }));
		const queue = this.#turn.get(room as string);
		if (queue) queue.push({ packet, encoded, frame });
		else this.#turn.set(room as string, [{ packet, encoded, frame }]);
		if (!this.#scheduled) {
			this.#scheduled = true;
			setImmediate(() => this.#endTurn());
		}
	}

	/** Writes to every room that had nothing lately; a busy one has to wait for the end of the window. */
	#endTurn(): void {
		this.#scheduled = false;
		if (this.#recent.size === 0) return this.#flush();
		const busy = new Map([...this.#turn].filter(([room]) => this.#recent.has(room)));
		for (const room of busy.keys()) this.#turn.delete(room);
		this.#flush();
		for (const [room, queue] of busy) this.#turn.set(room, queue);
	}

	#flush(): void {
		if (this.#turn.size === 0) return;
		const turn = this.#turn;
		this.#turn = new Map();
		this.#window ??= setTimeout(() => {
			this.#window = null;
			this.#recent.clear();
			this.#flush();
		}, joinWindow);
		for (const [room, queue] of turn) {
			this.#recent.add(room);
			const members = this.rooms.get(room);
			if (!members) continue;
			const joined = queue.length === 1 ? (queue[0] as Queued).frame : Buffer.concat(queue.map((q) => q.frame));
			for (const id of members) {
				const socket = this.nsp.sockets.get(id) as unknown as Connected | undefined;
				if (socket) this.#write(socket, queue, joined);
			}
		}
	}

	#write(socket: Connected, queue: Queued[], joined: Buffer): void {
		if (this.#slow.has(socket.id)) return;
		const { conn } = socket;
		if (backlog(conn) > backlogLimit || conn.writeBuffer.length > packetLimit) {
			this.#slowDown(socket);
			return;
		}
		const tcp = directLine(conn);
		if (tcp) {
			tcp.write(joined);
			fanOutCounts.joined += queue.length;
			return;
		}
		for (const { encoded } of queue) socket.client.writeToEngine(encoded, {});
		fanOutCounts.ordinary += queue.length;
	}

	/** Stops sending facts to a slow reader until it has taken what waits, then tells it to catch up. */
	#slowDown(socket: Connected): void {
		this.#slow.add(socket.id);
		const startedAt = Date.now();
		const timer = setInterval(() => {
			const { conn } = socket;
			const gone = conn.readyState !== "open" && conn.readyState !== "opening";
			const drained = backlog(conn) === 0 && conn.writeBuffer.length === 0;
			if (!gone && !drained && Date.now() - startedAt < slowLimit) return;
			clearInterval(timer);
			this.#slow.delete(socket.id);
			if (gone) return;
			if (drained) {
				fanOutCounts.resyncs++;
				socket.emit("signal", { kind: "resync" });
			} else {
				fanOutCounts.cutOff++;
				conn.close(true);
			}
		}, 100);
		timer.unref();
	}
}
