import { useLocation } from "@remix-run/react";
import { useEffect, useRef, useState } from "react";
import type { ConnectionState } from "../live/live-state.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";

/** A hiccup shorter than this is nobody's business, ms. */
const patience = 900;

type Shown = "connecting" | "offline" | "waiting" | "signed-out" | "catching-up" | "refused";

function shownFor(connection: ConnectionState): Shown | null {
	if (connection.state === "signed-out") return "signed-out";
	if (connection.refusal) return "refused";
	if (connection.state === "online") return connection.synced ? null : "catching-up";
	return connection.state;
}

/** How the connection stands, in a place of its own above the conversation: it never moves anything. */
export function ConnectionBanner() {
	const connection = useLiveState((state) => state.connection);
	const live = useLive();
	const { t, refused } = useWords();
	const { pathname, search } = useLocation();
	const wanted = shownFor(connection);
	const [shown, setShown] = useState<Shown | null>(null);
	useEffect(() => {
		const atOnce = wanted === null || wanted === "signed-out" || wanted === "refused" || wanted === "offline";
		const timer = setTimeout(() => setShown(wanted), atOnce ? 0 : patience);
		return () => clearTimeout(timer);
	}, [wanted]);
	// Who was told that it was gone is told that it is back.
	const wasTold = useRef(false);
	if (shown && connection.lostAt !== null) wasTold.current = true;
	const words = {
		connecting: t("connection.connecting"),
		offline: t("connection.offline"),
		waiting: t("connection.waiting"),
		"signed-out": t("connection.signedOut"),
		"catching-up": t("connection.catchingUp"),
		refused: connection.refusal ? refused(connection.refusal) : "",
	};
	return (
		<div className="banner-place">
			<span className="hidden" role="status">
				{!wanted && !shown && wasTold.current ? t("connection.back") : ""}
			</span>
			<div className={shown ? `banner banner-${shown}` : "banner is-away"}>
				{shown && shown !== "connecting" && shown !== "catching-up" && <Icon name={shown === "refused" ? "warn" : "cloud"} />}
				<span role="status">{shown ? words[shown] : ""}</span>
				{(shown === "waiting" || shown === "refused") && connection.retryAt !== null && <Countdown until={connection.retryAt} />}
				{(shown === "waiting" || shown === "refused") && (
					<button type="button" className="link-button" onClick={() => live.retryNow()}>
						{t("connection.retryNow")}
					</button>
				)}
				{shown === "signed-out" && (
					<a className="link-button" href={`/?next=${encodeURIComponent(pathname + search)}`}>
						{t("connection.enter")}
					</a>
				)}
			</div>
		</div>
	);
}

/** Seconds until a moment, for eyes only: read out every second it would drown everything else. */
function Countdown({ until }: { until: number }) {
	const { t } = useWords();
	const left = useSecondsUntil(until);
	return (
		<span className="countdown" aria-hidden="true">
			{t("connection.retryIn", { seconds: left })}
		</span>
	);
}

/** Whole seconds left, ticking once a second. */
export function useSecondsUntil(until: number): number {
	const [now, setNow] = useState(() => Date.now());
	useEffect(() => {
		setNow(Date.now());
		const timer = setInterval(() => setNow(Date.now()), 1000);
		return () => clearInterval(timer);
	}, []);
	return Math.max(0, Math.ceil((until - now) / 1000));
}
