import { useEffect, useRef, useState } from "react";
import { useWords } from "../words/use-words.tsx";
import { copyText } from "./copy-text.ts";
import { useReachWords } from "./hilo.tsx";
import { Icon, type IconName } from "./icons.tsx";
import type { Line } from "./lines.ts";
import type { Reach } from "./reach.ts";
import { useLayout } from "./use-layout.ts";

export type MessageDoing = {
	reply(line: Line): void;
	edit(line: Line): void;
	remove(line: Line): void;
	/** How far a message of mine has come. */
	journey(line: Line): void;
	/** Says in words what was done ("Copied"). */
	say(words: string): void;
};

/** What can be done with one message. Takes the focus, arrows move in it, Escape gives the focus back to the message. */
export function MessageMenu(props: {
	line: Line;
	roomId: string;
	isMine: boolean;
	reach: Reach | null;
	doing: MessageDoing;
	onClose(refocus: boolean): void;
}) {
	const { line, roomId, isMine, reach, doing, onClose } = props;
	const { t } = useWords();
	const menu = useRef<HTMLDivElement>(null);
	const reachWords = useReachWords(reach, line.pending);
	const close = useRef(onClose);
	close.current = onClose;
	const [isAbove, setAbove] = useState(false);
	// Near the end of the list there is room above only.
	useLayout(() => {
		const box = menu.current?.closest(".scroller")?.getBoundingClientRect();
		const own = menu.current?.getBoundingClientRect();
		if (box && own && own.bottom > box.bottom && own.height < own.top - box.top) setAbove(true);
	}, []);
	useEffect(() => {
		menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus({ preventScroll: true });
		const onPointerDown = (event: PointerEvent) => {
			if (!menu.current?.contains(event.target as Node)) close.current(false);
		};
		document.addEventListener("pointerdown", onPointerDown, true);
		return () => document.removeEventListener("pointerdown", onPointerDown, true);
	}, []);
	// Deleted meanwhile, the message leaves the menu with fewer ways; the one that had the focus may be among those gone.
	useEffect(() => {
		if (line.isDeleted && document.activeElement === document.body) menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
	}, [line.isDeleted]);
	const copied = async (text: string) => {
		onClose(true);
		doing.say(t((await copyText(text)) ? "message.copied" : "message.notCopied"));
	};
	const items: { icon: IconName; words: string; run(): void; isGrave?: true }[] = [];
	if (!line.isDeleted) items.push({ icon: "reply", words: t("message.reply"), run: () => doing.reply(line) });
	if (!line.isDeleted && isMine) items.push({ icon: "edit", words: t("message.edit"), run: () => doing.edit(line) });
	if (!line.isDeleted && isMine) items.push({ icon: "journey", words: t("message.journey"), run: () => doing.journey(line) });
	items.push({
		icon: "link",
		words: t("message.copyLink"),
		run: () => void copied(`${location.origin}/rooms/${roomId}/messages/${line.seq}`),
	});
	if (!line.isDeleted) items.push({ icon: "copy", words: t("message.copyText"), run: () => void copied(line.body) });
	if (!line.isDeleted && isMine) items.push({ icon: "trash", words: t("message.delete"), run: () => doing.remove(line), isGrave: true });

	function onKeyDown(event: React.KeyboardEvent): void {
		const all = [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
		const at = all.indexOf(document.activeElement as HTMLElement);
		const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
		event.stopPropagation();
		if (to !== undefined) {
			event.preventDefault();
			all.at(to % all.length)?.focus();
		} else if (event.key === "Escape" || event.key === "Tab") {
			event.preventDefault();
			onClose(true);
		}
	}

	return (
		<div
			ref={menu}
			className={isAbove ? "menu is-above" : "menu"}
			role="menu"
			tabIndex={-1}
			aria-label={t("message.actions", { name: line.author.name })}
			onKeyDown={onKeyDown}
		>
			{items.map((item) => (
				<button
					key={item.icon}
					type="button"
					role="menuitem"
					tabIndex={-1}
					className={item.isGrave ? "menu-line is-grave" : "menu-line"}
					onClick={item.run}
				>
					<Icon name={item.icon} />
					{item.words}
				</button>
			))}
			{isMine && !line.isDeleted && (
				<p className="menu-note" role="presentation">
					{reachWords}
				</p>
			)}
		</div>
	);
}
