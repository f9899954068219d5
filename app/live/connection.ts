import type { Answer, CallAnswer, CallInput, CallName } from "../contract/calls.ts";
import { readEnvelope } from "../contract/envelope.ts";
import type { Fact, Signal } from "../contract/facts.ts";
import { limits } from "../contract/limits.ts";
import { type RefusalCode, refusals } from "../contract/refusals.ts";
import { reconnectAfter } from "./backoff.ts";
import { openClockOffset } from "./clock-offset.ts";
import type { ConnectionState } from "./live-state.ts";
import type { LivePorts, Wire } from "./ports.ts";

type Welcome = Extract<Signal, { kind: "welcome" }>;

export type Connection = {
	/** Opens the socket; returns what closes it for good. */
	start(): () => void;
	/** Null when no answer came, at once when there is no connection. */
	call<N extends CallName>(name: N, input: CallInput<N>, timeout?: number): Promise<Answer<CallAnswer[N]> | null>;
	/** Whether the server has welcomed this connection, so that calls may be made. */
	isReady(): boolean;
	/** Everything that was missed is here: what began with losing the connection is over. */
	caughtUp(backfilled: number): void;
	retryNow(): void;
	/** The connection proved dead although nobody said so: make a new one at once. */
	renew(): void;
	/** The session is over: stop until the person asks again. */
	signOut(): void;
};

export type ConnectionNeeds = {
	/** Whose page this is: another person's session must not speak for this one. */
	myId: string;
	/** Build of this page. */
	build: string;
	ports: Pick<LivePorts, "timers" | "openWire" | "surroundings" | "recorder">;
	show(part: Partial<ConnectionState>): void;
	onWelcome(welcome: Welcome): void;
	onFact(fact: Fact, envelope: unknown): void;
	/** All signals but those about the connection itself. */
	onSignal(signal: Signal): void;
	/** The page was away (asleep, frozen, hidden): check the connection and what is on screen. */
	onAwake(): void;
	/** The page is going away, perhaps for good. */
	onLeaving(): void;
};

/** One attempt at a connection, ms: longer than the engine's own limit for each transport. */
const connectWithin = 20_000;
/** Between opening the socket and the server's welcome, ms. Longer means a proxy swallows the frames. */
const welcomeWithin = 10_000;
/** Hidden or asleep for longer than this, a connection is not trusted unseen, ms. */
const awayTooLong = 30_000;
/** How often the page looks whether its machine slept, ms: rare enough for a background tab. */
const tick = 30_000;
/** Unanswered calls in a row after which the connection is taken for dead: the engine's own ping needs 45 s. */
const unansweredAtMost = 3;
/** Round trips kept for showing. */
const roundTripsKept = 30;
/** However long a server asks us to wait, s, people should not have to reload to get in. */
const longestWait = 60;
/** How long calls under way may hold up a planned move, ms. */
const moveGrace = 1000;

/** Keeps one socket to the server: connects, notices when it is gone, waits with a countdown, comes back. */
export function openConnection(needs: ConnectionNeeds): Connection {
	const { timers, surroundings, recorder } = needs.ports;
	const clock = openClockOffset();
	let wire: Wire | null = null;
	let phase: "stopped" | "connecting" | "greeting" | "ready" | "waiting" | "signed-out" = "stopped";
	let attempt = 0;
	let unanswered = 0;
	let underWay = 0;
	let awaySince: number | null = null;
	let transport: ConnectionState["transport"] = null;
	let clockOffset = 0;
	/** Attempts since the last welcome, and how many that one had taken. */
	let tried = 0;
	let triedBefore = 0;
	let wasReady = false;
	/** Lost while online, and not yet caught up. */
	let isOut = false;
	let roundTrips: readonly number[] = [];
	let reconnects = 0;
	let cancelTimer = () => {};
	let cancelMove = () => {};

	function setTimer(ms: number, run: () => void): void {
		cancelTimer();
		cancelTimer = timers.after(ms, run);
	}

	/** Told before the phase changes: only a connection that stood can be lost. */
	function noteLoss(): void {
		if (phase !== "ready") return;
		needs.show({ lostAt: timers.now() });
		if (isOut || !surroundings.isOnline()) return;
		isOut = true;
		recorder?.lost();
	}

	function callOff(): void {
		if (!isOut) return;
		isOut = false;
		recorder?.calledOff();
	}

	function setTransport(name: "websocket" | "polling"): void {
		transport = name;
		needs.show({ transport });
	}

	function setClock(): void {
		const offset = clock.get();
		if (offset === clockOffset) return;
		clockOffset = offset;
		needs.show({ clockOffset });
		recorder?.clock(offset);
	}

	function connect(): void {
		if (!wire || phase === "stopped") return;
		phase = "connecting";
		tried++;
		cancelTimer();
		cancelMove();
		needs.show({ state: surroundings.isOnline() ? "connecting" : "offline", retryAt: null, transport: null, synced: false });
		setTimer(connectWithin, lose);
		wire.connect(recorder && { tp: recorder.connecting(), attempt: tried, recovered: wasReady });
	}

	/** Lets go of the present connection, whatever state it is in, without hearing of it. */
	function drop(): void {
		unanswered = 0;
		cancelTimer();
		cancelMove();
		wire?.disconnect();
	}

	/** `least`: whoever turned us away asks for that long, ms; spread, or all who were turned away come back at once. */
	function waitAndRetry(least = 0): void {
		if (phase === "stopped" || phase === "signed-out") return;
		phase = "waiting";
		const ms = Math.max(reconnectAfter(attempt++, timers.random()), Math.round(least * (1 + timers.random())));
		// Without a network trying goes on quietly: a server on this very machine is still there.
		const online = surroundings.isOnline();
		needs.show({ state: online ? "waiting" : "offline", retryAt: online ? timers.now() + ms : null, transport: null, synced: false });
		setTimer(ms, connect);
	}

	function lose(): void {
		noteLoss();
		drop();
		waitAndRetry();
	}

	function renew(): void {
		if (phase === "stopped" || phase === "signed-out") return;
		noteLoss();
		drop();
		connect();
	}

	function signOut(): void {
		if (phase === "stopped") return;
		phase = "signed-out";
		callOff();
		drop();
		needs.show({ state: "signed-out", retryAt: null, transport: null, synced: false });
	}

	function welcome(signal: Welcome): void {
		if (phase !== "greeting") return;
		if (signal.me.id !== needs.myId) return signOut();
		phase = "ready";
		attempt = 0;
		unanswered = 0;
		if (wasReady) needs.show({ reconnects: ++reconnects });
		wasReady = true;
		triedBefore = tried;
		tried = 0;
		cancelTimer();
		clock.stamped(signal.serverTime, timers.now());
		clockOffset = clock.get();
		needs.show({ state: "online", retryAt: null, refusal: null, clockOffset });
		recorder?.clock(clockOffset);
		if (signal.build !== needs.build) needs.show({ newVersion: true });
		needs.onWelcome(signal);
	}

	/** The server is going away: leave at a random moment, after the calls under way are answered. */
	function move(within: number): void {
		const leaveAt = timers.now() + Math.round(within * timers.random());
		const latest = leaveAt + moveGrace;
		const check = () => {
			if (phase !== "ready") return;
			if (underWay > 0 && timers.now() < latest) cancelMove = timers.after(100, check);
			else renew();
		};
		cancelMove();
		cancelMove = timers.after(leaveAt - timers.now(), check);
	}

	function awake(): void {
		if (awaySince === null) return;
		const away = timers.now() - awaySince;
		awaySince = null;
		if (away <= awayTooLong) return;
		// Nobody was there to miss anything, and a sleeping machine's clock would count the night.
		callOff();
		if (phase === "waiting") retryNow();
		else if (phase === "ready") needs.onAwake();
	}

	function retryNow(): void {
		if (phase === "ready" || phase === "greeting" || phase === "connecting" || phase === "stopped") return;
		attempt = 0;
		connect();
	}

	/**
	 * A sleeping machine runs no timers: a tick that comes much too late says how long it slept. Any other measures the way to
	 * the server while somebody looks, so that the latency shown is never older.
	 */
	function watchSleep(): () => void {
		let last = timers.now();
		let cancel = () => {};
		const look = () => {
			const slept = timers.now() - last - tick;
			last = timers.now();
			if (slept > awayTooLong && surroundings.isVisible()) {
				awaySince ??= last - slept;
				awake();
			} else if (surroundings.isVisible()) void call("server:ping", {});
			cancel = timers.after(tick, look);
		};
		cancel = timers.after(tick, look);
		return () => cancel();
	}

	async function call<N extends CallName>(
		name: N,
		input: CallInput<N>,
		timeout: number = limits.ackTimeout,
	): Promise<Answer<CallAnswer[N]> | null> {
		if (!wire || phase !== "ready") return null;
		const asked = wire;
		const before = timers.now();
		underWay++;
		const envelope = recorder?.calling(name, input, { transport });
		const answer = await asked.call(name, input, timeout, envelope);
		underWay--;
		const took = timers.now() - before;
		recorder?.answered(name, input, answer, took);
		if (answer === null) {
			// Lost together with its connection says nothing new; lost on a living one does.
			if (phase === "ready" && took >= timeout && ++unanswered >= unansweredAtMost) lose();
			return null;
		}
		unanswered = 0;
		roundTrips = [...roundTrips, took].slice(-roundTripsKept);
		needs.show({ roundTrips });
		clock.answered(took);
		if (phase === "ready") setClock();
		return answer as Answer<CallAnswer[N]>;
	}

	return {
		start() {
			phase = "connecting";
			attempt = 0;
			const opened = needs.ports.openWire({
				connected(transport) {
					if (phase !== "connecting") return;
					phase = "greeting";
					setTransport(transport);
					setTimer(welcomeWithin, lose);
				},
				upgraded: setTransport,
				disconnected() {
					// Also in the middle of the handshake: nobody else would say that it came to nothing.
					if (phase === "connecting" || phase === "greeting" || phase === "ready") lose();
				},
				refused(reason, seconds = 0) {
					if (phase !== "connecting") return;
					if (reason === "not-signed-in") return signOut();
					needs.show({ refusal: Object.hasOwn(refusals, reason) ? (reason as RefusalCode) : null });
					waitAndRetry(Math.min(seconds, longestWait) * 1000);
				},
				fact(fact, envelope) {
					if (phase !== "ready" && phase !== "greeting") return;
					const published = readEnvelope(envelope).ts?.[3];
					if (published) {
						clock.stamped(published, timers.now());
						if (phase === "ready") setClock();
					}
					needs.onFact(fact, envelope);
				},
				signal(signal) {
					if (signal.kind === "welcome") welcome(signal);
					else if (signal.kind === "move") move(signal.within);
					else if (signal.kind === "signed-out") signOut();
					else if (phase === "ready" || phase === "greeting") needs.onSignal(signal);
				},
			});
			wire = opened;
			const stopListening = surroundings.listen({
				online() {
					if (phase === "waiting") retryNow();
					else if (phase === "connecting") renew();
				},
				offline() {
					if (phase === "stopped" || phase === "signed-out") return;
					attempt = 0;
					callOff();
					lose();
				},
				hidden() {
					awaySince ??= timers.now();
				},
				visible: awake,
				resumed() {
					if (surroundings.isVisible()) awake();
				},
				leaving: needs.onLeaving,
			});
			const stopWatching = watchSleep();
			connect();
			return () => {
				phase = "stopped";
				callOff();
				drop();
				stopListening();
				stopWatching();
				if (wire === opened) wire = null;
			};
		},
		call,
		isReady: () => phase === "ready",
		caughtUp(backfilled) {
			if (!isOut || phase !== "ready") return;
			isOut = false;
			recorder?.back({ attempts: triedBefore, backfilled, transport: transport ?? "unknown" });
		},
		retryNow,
		renew,
		signOut,
	};
}
