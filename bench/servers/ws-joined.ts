/** The practical limit of Node: raw ws, a room's frames of one event-loop turn joined, one write per member. Nothing is stored. */
import { createServer } from "node:http";
import type { Socket as TcpSocket } from "node:net";
import * as ws from "ws";
import { anonymousRooms, serveParent } from "./parent.ts";

// The types of ws leave out the class that frames.
const { Sender } = ws as unknown as {
	Sender: { frame(payload: Buffer, options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean }): Buffer[] };
};
const frameOf = (text: string) =>
	Buffer.concat(Sender.frame(Buffer.from(text), { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }));

const http = createServer();
const server = new ws.WebSocketServer({ server: http, perMessageDeflate: false });
const rooms = new Map<string, Set<TcpSocket>>();
const turn = new Map<string, Buffer[]>();
let seq = 0;

function flush(): void {
	for (const [room, frames] of turn) {
		const joined = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
		for (const tcp of rooms.get(room) ?? []) tcp.write(joined);
	}
	turn.clear();
}

server.on("connection", (socket, request) => {
	const room = new URL(request.url ?? "", "http://localhost").searchParams.get("room") ?? "";
	const tcp = (socket as unknown as { _socket: TcpSocket })._socket;
	const members = rooms.get(room) ?? new Set();
	rooms.set(room, members.add(tcp));
	socket.on("close", () => members.delete(tcp));
	socket.on("message", (bytes) => {
		const text = String(bytes);
		const brace = text.indexOf("{");
		const { id, body } = JSON.parse(text.slice(brace)) as { id: string; body: string };
		seq++;
		socket.send(`a${text.slice(0, brace)}`);
		const frame = frameOf(`m${JSON.stringify({ id, seq, author: room, body, at: Date.now() })}`);
		const waiting = turn.get(room);
		if (waiting) waiting.push(frame);
		else turn.set(room, [frame]);
		if (turn.size === 1 && !waiting) setImmediate(flush);
	});
	socket.send("0");
});
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
	serveParent((http.address() as { port: number }).port, anonymousRooms(), async () => http.closeAllConnections());
});
