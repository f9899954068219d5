import { Link } from "@remix-run/react";
import { type ReactNode, useEffect, useRef } from "react";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";
import { useLayout } from "./use-layout.ts";

type Props = {
	/** Changes when something else is asked for, which takes the place of what was there. */
	name: string;
	title: string;
	closeTo: string;
	onClose(): void;
	/** Called for the focus when what had it before is gone. */
	refocus(): void;
	children: ReactNode;
};

/** What was asked for beside the conversation. Its address is part of the page's, so "back" closes it. */
export function SidePanel({ name, title, closeTo, onClose, refocus, children }: Props) {
	const { t } = useWords();
	const panel = useRef<HTMLElement>(null);
	const heading = useRef<HTMLHeadingElement>(null);
	const opener = useRef<HTMLElement | null>(null);
	// At once: on a narrow screen what asked for it is out of reach from now on, and loses the focus.
	useLayout(() => {
		const focused = document.activeElement;
		if (focused instanceof HTMLElement && focused !== document.body && !panel.current?.contains(focused)) opener.current = focused;
		// A page that is just loading with its panel open has not been asked for it by anybody here.
		if (opener.current) heading.current?.focus();
	}, [name]);
	const latest = useRef(refocus);
	latest.current = refocus;
	useEffect(
		() => () => {
			// Who went on elsewhere meanwhile stays there.
			if (document.activeElement !== document.body) return;
			if (opener.current?.isConnected) opener.current.focus();
			else latest.current();
		},
		[],
	);
	return (
		<aside
			ref={panel}
			className="panel"
			data-region
			aria-label={title}
			onKeyDown={(event) => {
				// One that only ends a composition, in a field of the panel, is not for the panel.
				if (event.key !== "Escape" || event.defaultPrevented || event.nativeEvent.isComposing || event.keyCode === 229) return;
				event.preventDefault();
				onClose();
			}}
		>
			<header className="panel-head">
				<h2 ref={heading} tabIndex={-1} data-region-focus>
					{title}
				</h2>
				<Link className="icon-button" to={closeTo} aria-label={t("panel.close")} preventScrollReset>
					<Icon name="close" />
				</Link>
			</header>
			<div className="panel-body">{children}</div>
		</aside>
	);
}
