import { Link } from "@remix-run/react";
import { useWords } from "../words/use-words.tsx";
import { Logo } from "./logo.tsx";

/** Beside the room list while no room is open: an invitation. */
export function ChooseRoom() {
	const { t } = useWords();
	return (
		<div className="blank">
			<Logo size="l" />
			<h1>{t("rooms.chooseTitle")}</h1>
			<p>{t("rooms.choose")}</p>
			<p className="blank-ways">
				<Link className="button" to="/rooms/browse">
					{t("rooms.browse")}
				</Link>
				<Link className="button button-quiet" to="/rooms/new">
					{t("rooms.new")}
				</Link>
			</p>
		</div>
	);
}
