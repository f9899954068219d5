import { unreadOf } from "../contract/unread.ts";
import type { Live, LiveState } from "../live/live-state.ts";
import { hiloOf, openReach } from "./reach.ts";

/** How the ring in the tab's icon is drawn: in dashes, filled to a share (of 100), all in teal, or broken. */
export type Ring = "sending" | "seen" | "failed" | number;

/** A message is followed this long after it was stored, ms: who is away may not see it for days. */
const followed = 60_000;
/** What is stored and has reached nobody yet fills so much of the ring. */
const stored = 36;

/**
 * What the tab's icon tells of my messages: the oldest of the last minute that has not been seen by everybody decides.
 * Null when nothing of mine is on its way. `now` is the server's clock.
 */
export function ringOf({ pending, open, me }: LiveState, now: number): Ring | null {
	const oldest = pending.reduce<(typeof pending)[number] | undefined>((a, b) => (a && a.createdAt <= b.createdAt ? a : b), undefined);
	if (oldest) return oldest.state === "failed" ? "failed" : oldest.state === "stored" ? stored : "sending";
	if (!open) return null;
	const reachOf = openReach(open.members, me.id);
	for (const message of open.messages) {
		if (message.author.id !== me.id || message.deletedAt !== null || message.createdAt < now - followed) continue;
		const reach = reachOf(message.seq);
		const state = hiloOf(reach, null);
		if (reach.total === 0 || state === "all") continue;
		return state === "seen" ? "seen" : Math.round(stored + ((100 - stored) * reach.delivered) / reach.total);
	}
	return null;
}

const ring = "M24.5 9A11 11 0 1 0 24.5 23";
const halves = ["M24.5 9A11 11 0 0 0 6.2 12", "M24.5 23A11 11 0 0 1 6.2 20"];
const colours =
	".t{stroke:#d8cec3}.a{stroke:#b5532d}.b{stroke:#1f7377}.f{stroke:#bd2b50}.d{fill:#b5532d;stroke:#fbf8f3;stroke-width:2}" +
	"@media(prefers-color-scheme:dark){.t{stroke:#4d453e}.a{stroke:#e8916a}.b{stroke:#63bdb8}.f{stroke:#f0839a}.d{fill:#e8916a;stroke:#1d1814}}";

/** The icon as a picture of its own. At rest it is a file, with a dot when something is unread. */
export function iconOf(shown: Ring | null, hasUnread: boolean): string {
	if (shown === null) return hasUnread ? "/favicon-unread.svg" : "/favicon.svg";
	const line = (look: string, way: string, dashes = "") =>
		`<path class="${look}" d="${way}" pathLength="100"${dashes && ` stroke-dasharray="${dashes}"`}/>`;
	const way =
		shown === "seen"
			? line("b", ring)
			: shown === "failed"
				? line("f", halves[0] as string) + line("t", halves[1] as string)
				: line("t", ring) + line("a", ring, shown === "sending" ? "1 15.5" : `${shown} 100`);
	const dot = hasUnread ? '<circle class="d" cx="25" cy="16" r="6"/>' : "";
	const picture = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>${colours}path{fill:none;stroke-width:6;stroke-linecap:round}</style>${way}${dot}</svg>`;
	return `data:image/svg+xml,${encodeURIComponent(picture)}`;
}

/** Shows in the tab's icon, and in the number on an installed app's, what is unread and how far my messages are. Gives the way to stop. */
export function followIcon(live: Live): () => void {
	let timer: ReturnType<typeof setTimeout> | undefined;
	let unreadBefore: number | null = null;
	const show = () => {
		const state = live.getState();
		const unread = Object.values(state.rooms).reduce((sum, room) => sum + unreadOf(room), 0);
		const shown = ringOf(state, Date.now() + state.connection.clockOffset);
		const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
		const href = iconOf(shown, unread > 0);
		if (icon && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
		// It comes to rest by itself: nothing need happen any more.
		clearTimeout(timer);
		if (shown !== null && state.pending.length === 0) timer = setTimeout(show, followed / 10);
		if (unread === unreadBefore) return;
		unreadBefore = unread;
		// Only installed apps have a badge, and some browsers refuse it: then there is nothing to show it on.
		const badge = unread > 0 ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
		badge?.catch(() => {});
	};
	const stop = live.subscribe(show);
	show();
	return () => {
		stop();
		clearTimeout(timer);
	};
}
