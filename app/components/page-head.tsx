import { Link } from "@remix-run/react";
import type { ReactNode } from "react";
import { useWords } from "../words/use-words.tsx";
import { Icon } from "./icons.tsx";

/** The head of a page beside the room list, with the way back to it for small screens. */
export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
	const { t } = useWords();
	return (
		<header className="page-head">
			<Link className="icon-button back" to="/rooms" aria-label={t("rooms.back")}>
				<Icon name="back" />
			</Link>
			<h1>{title}</h1>
			{children}
		</header>
	);
}
