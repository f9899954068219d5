import { isTraceparent } from "../../app/contract/envelope.ts";
import { openPainter } from "./painter.ts";
import { openRecorder } from "./recorder.ts";
import { routeOf } from "./route.ts";
import { openSender } from "./sender.ts";

/** Where it all goes. */
const beacon = "/telemetry";
/** Errors of one page that are told: one that fails in every frame has said everything with the first. */
const errorsAtMost = 10;
/** What an error may be called: a class, not a sentence. */
const errorName = /^[A-Z]\w{0,39}$/;

/**
 * Starts the browser's half of the flight recorder, and gives what app/live tells it. Null when this page is not to be
 * measured: the server says so by leaving out `<meta name="telemetry" content='{"ratio":0.1,"in":true,"build":"…"}'>`
 * (ratio: share of spans; in: the page is somebody's who is signed in), or the person by Do Not Track or Global Privacy
 * Control.
 */
export function startRecording() {
	const page = readPage();
	if (!page || navigator.doNotTrack === "1" || (navigator as { globalPrivacyControl?: unknown }).globalPrivacyControl) return null;
	const now = () => Date.now();
	const after = (ms: number, run: () => void) => {
		const timer = setTimeout(run, ms);
		return () => clearTimeout(timer);
	};
	const frame = (run: () => void) => void requestAnimationFrame(run);
	const route = () => routeOf(location.pathname);
	const sessionId = hex(16);
	const sender = openSender({ sessionId, build: page.build, isUp: page.in, after, post });
	const recorder = openRecorder({
		sender,
		sessionId,
		ratio: page.ratio,
		now,
		random: Math.random,
		hex,
		isVisible: () => document.visibilityState === "visible",
		isOnline: () => navigator.onLine,
		painted: openPainter({ now, frame, after, isThere: (seq) => document.getElementById(`m${seq}`) !== null }),
		afterPaint: (run) => frame(() => frame(run)),
	});

	let errors = 0;
	const fail = (error: unknown) => {
		if (errors++ >= errorsAtMost) return;
		const { name } = (error ?? {}) as { name?: unknown };
		sender.measured({ name: "error", type: typeof name === "string" && errorName.test(name) ? name : "Error", route: route() });
	};
	addEventListener("error", (event) => fail(event.error));
	addEventListener("unhandledrejection", (event) => fail(event.reason));

	const loaded = () => {
		const [load] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
		const { timeOrigin } = performance;
		if (load) recorder.loaded(timeOrigin, timeOrigin + load.loadEventStart, route(), page.traceparent);
		// Not needed to show anything, so it comes after everything that is; what it watches for is kept for it.
		import("./vitals.ts").then(
			({ watchVitals }) =>
				watchVitals(({ name, value, rating }) => sender.measured({ name: "vital", vital: name, value, rating, route: route() })),
			() => {},
		);
	};
	if (document.readyState === "complete") loaded();
	else addEventListener("load", loaded, { once: true });

	// On the window, so that what the vitals say when the document is hidden has been said.
	addEventListener("visibilitychange", () => document.visibilityState === "hidden" && sender.flush());
	addEventListener("pagehide", () => recorder.leaving());
	return recorder;
}

function readPage(): { ratio: number; in: boolean; build: string; traceparent: string | null } | null {
	const meta = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
	try {
		const { ratio, in: isIn, build } = JSON.parse(meta("telemetry")) as Record<string, unknown>;
		const traceparent = meta("traceparent");
		return { ratio: Number(ratio), in: isIn === true, build: String(build), traceparent: isTraceparent(traceparent) ? traceparent : null };
	} catch {
		return null;
	}
}

async function post(body: string): Promise<boolean> {
	try {
		// It would be taken, and lost.
		if (!navigator.onLine) return false;
		if (navigator.sendBeacon(beacon, body)) return true;
		return (await fetch(beacon, { method: "POST", body, keepalive: true })).ok;
	} catch {
		return false;
	}
}

function hex(bytes: number): string {
	return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
