import { useState } from "react";
import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";

/** Says that the server has a newer page. Nothing reloads by itself. */
export function VersionToast() {
	const { t } = useWords();
	const isNewer = useLiveState((state) => state.connection.newVersion);
	const [later, setLater] = useState(false);
	if (!isNewer || later) return null;
	return (
		<div className="toast" role="status">
			<span>{t("version.new")}</span>
			<button type="button" className="button button-small" onClick={() => location.reload()}>
				{t("version.reload")}
			</button>
			<button type="button" className="link-button" onClick={() => setLater(true)}>
				{t("version.later")}
			</button>
		</div>
	);
}
