import { Link } from "@remix-run/react";
import { type ReactNode, useEffect, useRef } from "react";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";

/** What was asked for beside the conversation. Its address is part of the page's, so "back" closes it. */
export function SidePanel({ title, closeTo, onClose, children }: { title: string; closeTo: string; onClose(): void; children: ReactNode }) {
	const { t } = useWords();
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => {
		const opener = document.activeElement as HTMLElement | null;
		// A page that is just loading with its panel open has not been asked for it by anybody here.
		if (opener && opener !== document.body) heading.current?.focus();
		return () => {
			if (opener?.isConnected && opener !== document.body) opener.focus();
		};
	}, []);
	return (
		<aside
			className="panel"
			data-region
			aria-label={title}
			onKeyDown={(event) => {
				if (event.key !== "Escape" || event.defaultPrevented) return;
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
