import { useEffect } from "react";

/** The number of unread messages in the tab's title, on its icon and on the installed app's: all come and go together. */
export function useTabSignals(unread: number, roomName: string | null): void {
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

	useEffect(() => {
		const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
		const href = unread > 0 ? "/favicon-unread.svg" : "/favicon.svg";
		if (icon && icon.getAttribute("href") !== href) icon.setAttribute("href", href);
		// Only installed apps have a badge, and some browsers refuse it: then there is nothing to show it on.
		const badge = unread > 0 ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
		badge?.catch(() => {});
	}, [unread]);
}
