import { useEffect } from "react";
import type { Live } from "../live/live-state.ts";

/** The number of unread messages in the tab's title; on its icon and on the installed app's beside how far my messages are. */
export function useTabSignals(live: Live, unread: number, roomName: string | null): void {
	useEffect(() => {
		const show = () => {
			const bare = roomName ?? document.title.replace(/^\(\d+\+?\) /, "").replace(/ · Charla$/, "");
			const title = bare === "Charla" ? bare : `${bare} · Charla`;
			const next = unread > 0 ? `(${unread}) ${title}` : title;
			if (document.title !== next) document.title = next;
		};
		show();
		// The page's own title arrives with its data, after this.
		const element = document.querySelector("title");
		const watch = new MutationObserver(show);
		if (element) watch.observe(element, { childList: true, characterData: true, subtree: true });
		return () => watch.disconnect();
	}, [unread, roomName]);

	// Not needed to read or write: its script comes by itself.
	useEffect(() => {
		let stop = () => {};
		let isOver = false;
		import("./tab-icon.ts").then(
			({ followIcon }) => {
				if (!isOver) stop = followIcon(live);
			},
			() => undefined,
		);
		return () => {
			isOver = true;
			stop();
		};
	}, [live]);
}
