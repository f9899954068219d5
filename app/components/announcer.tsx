import { useEffect, useRef, useState } from "react";
import { excerpt } from "../contract/text.ts";
import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";

/** Messages that arrive within this time are told together, ms. */
const breath = 700;
/** More than this many at once are only counted. */
const each = 3;

/**
 * Tells a screen reader what others write in the open room, once per message. It stands apart from the list, which also
 * changes when history is loaded; the live state announces nothing but live messages of others.
 */
export function Announcer() {
	const { t, n } = useWords();
	const me = useLiveState((state) => state.me.id);
	const announced = useLiveState((state) => state.announced);
	const toldUpTo = useRef(announced.at(-1)?.seq ?? 0);
	const [lines, setLines] = useState<{ key: number; words: string }[]>([]);
	const latest = useRef(announced);
	latest.current = announced;
	const isWaiting = useRef(false);
	useEffect(() => {
		const isFresh = (message: (typeof announced)[number]) => message.seq > toldUpTo.current && message.author.id !== me;
		// One breath for all of them: a timer begun anew with every message would never run out in a lively room.
		if (isWaiting.current || !announced.some(isFresh)) return;
		isWaiting.current = true;
		setTimeout(() => {
			isWaiting.current = false;
			const fresh = latest.current.filter(isFresh);
			const newest = fresh.at(-1);
			if (!newest) return;
			toldUpTo.current = newest.seq;
			const told =
				fresh.length > each
					? [{ key: newest.seq, words: n("announce.many", fresh.length) }]
					: fresh.map((message) => ({
							key: message.seq,
							words: t("announce.line", { name: message.author.name, text: excerpt(message.body, 300) }),
						}));
			setLines((before) => [...before, ...told].slice(-10));
		}, breath);
	}, [announced, me, t, n]);
	return (
		<div role="log" className="hidden" aria-live="polite" aria-relevant="additions">
			{lines.map((line) => (
				<p key={line.key}>{line.words}</p>
			))}
		</div>
	);
}

/** Says at once that a message of mine could not be sent, why, and where when that is not the room on screen. */
export function FailureAlert() {
	const { t, refused } = useWords();
	const failed = useLiveState((state) => state.pending.findLast((pending) => pending.state === "failed") ?? null);
	const name = useLiveState((state) => (failed && failed.roomId !== state.open?.room.id ? state.rooms[failed.roomId]?.name : undefined));
	const reason = failed ? refused(failed.refusal?.code ?? "failed", failed.refusal?.details) : "";
	return (
		<div role="alert" className="hidden">
			{failed && (name ? t("pending.failedIn", { name, reason }) : t("pending.failedAlert", { reason }))}
		</div>
	);
}
