export type Store<S> = {
	get(): S;
	/**
	 * The state listeners were last told of: what pages are drawn from. A page that drew from `get` could draw one part between
	 * a change and its telling, and show it a moment ahead of the others: a message neither under way any more nor there yet.
	 */
	told(): S;
	update(change: (state: S) => S): void;
	subscribe(listener: () => void): () => void;
};

/**
 * Immutable state with listeners. They are told once per microtask however many changes there were, so that a hundred
 * facts of one frame are one render.
 */
export function openStore<S>(initial: S): Store<S> {
	let state = initial;
	let told = initial;
	let isTelling = false;
	const listeners = new Set<() => void>();

	return {
		get: () => state,
		told: () => told,
		update(change) {
			const next = change(state);
			if (next === state) return;
			state = next;
			if (isTelling) return;
			isTelling = true;
			queueMicrotask(() => {
				isTelling = false;
				told = state;
				for (const listener of [...listeners]) listener();
			});
		},
		subscribe(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
	};
}
