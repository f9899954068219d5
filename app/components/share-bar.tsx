/** How much of a whole, drawn; the numbers stand beside it in words. */
export function ShareBar({ share, state = "fine" }: { share: number; state?: "fine" | "scarce" | "gone" }) {
	return (
		<svg className={`share-bar is-${state}`} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
			<rect width="100" height="4" className="share-bar-all" />
			<rect width={Math.max(0, Math.min(1, share)) * 100} height="4" className="share-bar-part" />
		</svg>
	);
}
