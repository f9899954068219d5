/** Socket.IO as its tutorial has it: an ack, and everybody in the room hears it. Nothing is stored, nobody is asked who they are. */
import { createServer } from "node:http";
import { Server } from "socket.io";
import { anonymousRooms, serveParent } from "./parent.ts";

const http = createServer();
const io = new Server(http, { serveClient: false });
let seq = 0;
io.on("connection", (socket) => {
	const room = String(socket.handshake.query.room);
	socket.join(room);
	socket.on("message", ({ id, body }: { id: string; body: string }, ack: (answer: object) => void) => {
		seq++;
		ack({ id, seq });
		io.to(room).emit("message", { id, seq, author: socket.id, body, at: Date.now() });
	});
});
http.listen(0, "127.0.0.1", () => {
	serveParent((http.address() as { port: number }).port, anonymousRooms(), () => io.close());
});
