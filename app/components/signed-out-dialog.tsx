import { useLocation } from "@remix-run/react";
import { useEffect, useState } from "react";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { Dialog } from "./dialog.tsx";
import { Refused } from "./refused.tsx";

/**
 * Stands over the page once the session is over, so that nobody has to leave what they were writing: coming back as the
 * same person goes on where it stopped. Closed, it leaves the banner, and the text to be copied.
 */
export function SignedOutDialog({ onClose }: { onClose(): void }) {
	const { t } = useWords();
	const live = useLive();
	const { pathname, search } = useLocation();
	const me = useLiveState((state) => state.me);
	const state = useLiveState((state) => state.connection.state);
	const [attempt, setAttempt] = useState<"none" | "asking" | "connecting" | "failed">("none");
	useEffect(() => {
		if (state === "signed-out") setAttempt((now) => (now === "connecting" ? "failed" : now));
	}, [state]);

	async function back(): Promise<void> {
		setAttempt("asking");
		await live.comeBack();
		setAttempt("connecting");
		live.retryNow();
	}

	return (
		<Dialog
			title={t("connection.enter")}
			onClose={onClose}
			className="confirm"
			returnTo={() => document.querySelector<HTMLElement>("[data-region-focus]")}
		>
			<p>{t("connection.signedOut")}</p>
			<Refused refusal={attempt === "failed" ? { code: "not-signed-in", details: {} } : null} />
			<p className="dialog-ways">
				<a className="button button-quiet" href={`/?next=${encodeURIComponent(pathname + search)}`}>
					{t("enter.other")}
				</a>
				<button type="button" className="button" disabled={attempt === "asking" || attempt === "connecting"} onClick={() => void back()}>
					{t("enter.back", { name: me.name })}
				</button>
			</p>
		</Dialog>
	);
}
