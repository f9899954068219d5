import { type FunctionComponent, useEffect, useState } from "react";

const moves = ["pointermove", "pointerdown", "keydown"] as const;
/** Told when something could not be fetched because of the network. */
export const notFetched = "charla:not-fetched";

/**
 * What most people never open: its script comes when somebody does, or (`atFirstMove`, for what has to be there at once) when somebody
 * first moves on a page that was shown without it. Where it does not come, that is said and it is closed.
 */
export function late<P extends { onClose(refocus: boolean): void }>(
	load: () => Promise<FunctionComponent<P>>,
	{ atFirstMove = false } = {},
): FunctionComponent<P> {
	let known: FunctionComponent<P> | null = null;
	if (atFirstMove && typeof window !== "undefined") {
		const ahead = () => {
			for (const sign of moves) window.removeEventListener(sign, ahead, true);
			load().then(
				(loaded) => {
					known = loaded;
				},
				() => undefined,
			);
		};
		for (const sign of moves) window.addEventListener(sign, ahead, true);
	}
	return function Late(props) {
		const [Shown, show] = useState(() => known);
		// biome-ignore lint/correctness/useExhaustiveDependencies: asked for once, when it is opened
		useEffect(() => {
			let isOpen = true;
			load().then(
				(loaded) => {
					known = loaded;
					if (isOpen) show(() => loaded);
				},
				() => {
					window.dispatchEvent(new Event(notFetched));
					if (isOpen) props.onClose(true);
				},
			);
			return () => {
				isOpen = false;
			};
		}, []);
		return Shown && <Shown {...props} />;
	};
}
