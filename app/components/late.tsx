import { type FunctionComponent, useEffect, useState } from "react";

/** Told when something could not be fetched because of the network. */
export const notFetched = "charla:not-fetched";

/** A dialog most people never open: its script comes when somebody does. Where it does not come, that is said and it is closed. */
export function late<P extends { onClose(): void }>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
	let known: FunctionComponent<P> | null = null;
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
					if (isOpen) props.onClose();
				},
			);
			return () => {
				isOpen = false;
			};
		}, []);
		return Shown && <Shown {...props} />;
	};
}
