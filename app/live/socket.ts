import { io } from "socket.io-client";
import type { Answer } from "../contract/calls.ts";
import type { Handshake, OpenWire } from "./ports.ts";

/** One attempt may take this long, ms: a proxy that swallows the upgrade answers nothing at all. */
const attemptWithin = 8000;

type Named = "websocket" | "polling";

/**
 * A Socket.IO client with everything of its own switched off that this app does better: reconnecting (we show a
 * countdown and spread it) and buffering (unlimited and ageless; our outbox survives a reload and keeps order).
 * `headers` are for programs: a browser sends its cookies by itself and takes no others.
 */
export function socketAt(url: string | undefined, headers?: Record<string, string>): OpenWire {
	return (events) => {
		let handshake: Handshake | undefined;
		const socket = io(url ?? "/", {
			// Asked for each attempt; nothing is sent along where there is nothing to tell.
			auth: (give) => give(handshake as Handshake),
			autoConnect: false,
			forceNew: true,
			reconnection: false,
			transports: ["websocket", "polling"],
			tryAllTransports: true,
			timeout: attemptWithin,
			withCredentials: true,
			...(headers ? { extraHeaders: headers } : {}),
		});
		let silent = false;
		const transportNow = () => (socket.io.engine?.transport.name === "polling" ? "polling" : "websocket") satisfies Named;

		socket.on("connect", () => {
			const { engine } = socket.io;
			engine.on("upgrade", () => events.upgraded(transportNow()));
			events.connected(transportNow());
		});
		socket.on("disconnect", (reason) => {
			// What could not leave must not leave later: whoever sent it sends it again, in order.
			socket.sendBuffer.length = 0;
			if (!silent) events.disconnected(reason);
		});
		socket.on("connect_error", (error) => {
			// A websocket that hangs is not an error the engine falls back from: begin with polling next time.
			if (error.message === "timeout") swapTransports();
			const { seconds } = (error as { data?: { seconds?: unknown } }).data ?? {};
			if (!silent) events.refused(error.message, typeof seconds === "number" ? seconds : undefined);
		});
		socket.on("fact", (fact, envelope) => events.fact(fact, envelope));
		socket.on("signal", (signal) => events.signal(signal));

		function swapTransports(): void {
			const first = socket.io.opts.transports?.[0];
			socket.io.opts.transports = first === "websocket" ? ["polling", "websocket"] : ["websocket", "polling"];
		}

		return {
			connect(given) {
				handshake = given;
				silent = false;
				socket.connect();
			},
			disconnect() {
				silent = true;
				// Open below and still no connection: the frames do not get through.
				if (!socket.connected && socket.io.engine?.readyState === "open") swapTransports();
				socket.disconnect();
			},
			async call(name, input, timeout, envelope) {
				if (!socket.connected) return null;
				try {
					const told = envelope ? [input, envelope] : [input];
					return (await socket.timeout(timeout).emitWithAck(name, ...told)) as Answer<unknown>;
				} catch {
					return null;
				}
			},
		};
	};
}
